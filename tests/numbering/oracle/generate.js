// SPDX-License-Identifier: GPL-2.0-or-later
'use strict';

// Writes valid numbers of every country as libphonenumber knows them, dialled as the countries dial.
// One string a line, sorted by dial plan:
//   dial plan, region and type of the number, how it is dialled, the dialled string, E.164
// The same numbers on every run. Usage: NODE_PATH=.../node_modules node generate.js OUT DIALPLANS.tsv

const fs = require('fs');
const lib = require('google-libphonenumber');
const { Walker } = require('./patterns');

const util = lib.PhoneNumberUtil.getInstance();
const Type = lib.PhoneNumberType;
const Format = lib.PhoneNumberFormat;

// How many numbers of each kind a country gives.
const kinds = [
  ['FIXED_LINE', 'getFixedLine', 220],
  ['MOBILE', 'getMobile', 220],
  ['TOLL_FREE', 'getTollFree', 80],
  ['PREMIUM_RATE', 'getPremiumRate', 80],
  ['SHARED_COST', 'getSharedCost', 80],
  ['PERSONAL_NUMBER', 'getPersonalNumber', 80],
  ['VOIP', 'getVoip', 80],
  ['PAGER', 'getPager', 80],
  ['UAN', 'getUan', 80],
  ['VOICEMAIL', 'getVoicemail', 80],
];
const typeName = Object.fromEntries(Object.entries(Type).map(([name, value]) => [value, name]));

let seed = 20260731;
function dice(sides) {
  seed ^= seed << 13;
  seed ^= seed >>> 17;
  seed ^= seed << 5;
  return (seed >>> 0) % sides;
}

const origins = util.getSupportedRegions().sort();
const idd = Object.fromEntries(origins.map((region) => [
  region, util.getMetadataForRegion(region).getInternationalPrefix(),
]));
const access = Object.fromEntries(origins.map((region) => {
  const preferred = util.getMetadataForRegion(region).getPreferredInternationalPrefix();
  return [region, (preferred || idd[region]).replace('~', '')];
}));
const isPlain = (prefix) => /^\d+$/.test(prefix);

function numberOf(callingCode, nsn) {
  const number = new lib.PhoneNumber();
  const zeros = /^0*/.exec(nsn)[0].length;
  number.setCountryCode(callingCode);
  number.setNationalNumber(Number(nsn));
  if (zeros) {
    number.setItalianLeadingZero(true);
    if (zeros > 1) number.setNumberOfLeadingZeros(zeros);
  }
  return number;
}

// Valid numbers of one kind, each once: [number, national significant number].
function* numbersOf(metadata, callingCode, getter, count, seen) {
  const description = metadata[getter]();
  const pattern = description && description.getNationalNumberPattern();
  if (!pattern || pattern === 'NA') return;
  const walker = new Walker(pattern, dice);
  for (let tries = 0; tries < 3 * count && count > 0; tries++) {
    const nsn = walker.next();
    if (seen.has(nsn)) continue;
    seen.add(nsn);
    const number = numberOf(callingCode, nsn);
    if (!util.isValidNumber(number)) continue;
    count--;
    yield [number, nsn];
  }
}

// What libphonenumber itself does not read back as the number is not the way to dial it.
function readsBack(dialled, origin, number) {
  try {
    return util.parse(dialled, origin).equals(number);
  } catch (error) {
    return false;
  }
}

const lines = Object.fromEntries(origins.map((region) => [region, []]));
function write(origin, region, type, how, dialled, e164) {
  lines[origin].push(`${origin}\t${region}\t${type}\t${how}\t${dialled}\t${e164}\n`);
}

// Where all of a country is one area of its calling code, people leave the area code out.
function withoutArea(region, nsn) {
  const rule = util.getMetadataForRegion(region).getNationalPrefixTransformRule();
  const area = /^(\d+)\$1$/.exec(rule || '');
  return area && nsn.startsWith(area[1]) ? nsn.slice(area[1].length) : '';
}

// All that libphonenumber takes off the front of a national number: trunk prefixes and carriers. Groups
// that must be followed by certain digits are tried without them.
const fronts = {};
function withCarrier(region, nsn) {
  if (!(region in fronts)) {
    const metadata = util.getMetadataForRegion(region);
    const pattern = metadata.getNationalPrefixForParsing() || '';
    const front = pattern.replace(/\(\\d\{\d+,\d+\}\)/, '');
    const plain = front && !front.includes('$') && front !== metadata.getNationalPrefix();
    fronts[region] = plain ? new Walker(front, dice) : null;
  }
  return fronts[region] ? fronts[region].next() + nsn : '';
}

// The ways that need libphonenumber's rules, tried in turn.
const ways = [
  ['trunk', (number, region, nsn) => (util.getNddPrefixForRegion(region, true) || '') + nsn],
  ['mobile', (number, region) => util.formatNumberForMobileDialing(number, region, false)],
  ['carrier', (number, region, nsn) => withCarrier(region, nsn)],
  ['local', (number, region, nsn) => withoutArea(region, nsn)],
];

let turn = 0;
function writeAtHome(number, nsn, region, type, e164) {
  const written = new Set();
  const [how, way] = ways[turn % ways.length];
  for (const [name, dialled] of [
    ['national', util.format(number, Format.NATIONAL)],
    [how, way(number, region, nsn)],
  ]) {
    if (!dialled || written.has(dialled) || !readsBack(dialled, region, number)) continue;
    written.add(dialled);
    write(region, region, type, name, dialled, e164);
  }
}

// By + and by the access prefix, at home and from another country.
function writeFromAfar(number, region, type, e164) {
  const other = origins[dice(origins.length)];
  const origin = turn % 4 < 2 && region !== '001' ? region : other;
  const dialled = access[origin] + e164.slice(1);
  if (turn % 2 && isPlain(dialled) && (isPlain(idd[origin]) || readsBack(dialled, origin, number))) {
    write(origin, region, type, 'access', dialled, e164);
  } else {
    write(origin, region, type, 'plus', e164, e164);
  }
}

function writeAll(metadata, callingCode, atHome) {
  const seen = new Set();
  for (const [type, getter, count] of kinds) {
    for (const [number, nsn] of numbersOf(metadata, callingCode, getter, count, seen)) {
      const region = util.getRegionCodeForNumber(number);
      const e164 = util.format(number, Format.E164);
      if (atHome === region && region !== '001') writeAtHome(number, nsn, region, typeName[util.getNumberType(number)], e164);
      writeFromAfar(number, region, typeName[util.getNumberType(number)], e164);
      turn++;
    }
  }
}

for (const region of origins) {
  writeAll(util.getMetadataForRegion(region), util.getCountryCodeForRegion(region), region);
}
for (const callingCode of util.getSupportedGlobalNetworkCallingCodes()) {
  writeAll(util.getMetadataForNonGeographicalRegion(callingCode), callingCode, '001');
}
// An emergency number that were a number besides would be taken from whoever has it.
function writeEmergencies(path) {
  const rows = fs.readFileSync(path, 'utf8').split('\n').slice(1).map((line) => line.split('\t'));
  for (const [region, , callingCode, , , , , , list] of rows) {
    for (const digits of (list || '').split(',').filter(Boolean)) {
      for (const dialled of [digits, callingCode + digits]) {
        let number;
        try {
          number = util.parse(dialled, region);
        } catch (error) {
          continue;
        }
        if (!util.isValidNumber(number)) continue;
        write(region, region, 'EMERGENCY', 'emergency', dialled, util.format(number, Format.E164));
      }
    }
  }
}
writeEmergencies(process.argv[3]);

const all = origins.flatMap((region) => lines[region]);
fs.writeFileSync(process.argv[2], all.join(''));
console.log(`# ${turn} numbers of ${origins.length} countries, ${all.length} strings`);
