// SPDX-License-Identifier: GPL-2.0-or-later
'use strict';

// Walks the patterns of national numbers, such as "1(?:2[0-9]|34)\d{6}", and writes digits that fit
// them. Of the branches, digits and lengths that a pattern offers at one place the least used is taken
// first, so that a few walks see all of it.

class Walker {
  constructor(pattern, dice) {
    this.text = pattern;
    this.at = 0;
    this.dice = dice;
    this.root = this.either();
    if (this.at !== pattern.length) throw new Error(`not read to its end: ${pattern}`);
  }

  peek() {
    return this.text[this.at];
  }

  either() {
    const branches = [this.sequence()];
    while (this.peek() === '|') {
      this.at++;
      branches.push(this.sequence());
    }
    return { branches, used: branches.map(() => 0) };
  }

  sequence() {
    const pieces = [];
    while (this.at < this.text.length && this.peek() !== '|' && this.peek() !== ')') {
      pieces.push(this.piece());
    }
    return pieces;
  }

  piece() {
    const one = this.letter();
    let least = 1;
    let most = 1;
    if (this.peek() === '?') {
      least = 0;
      this.at++;
    } else if (this.peek() === '{') {
      const end = this.text.indexOf('}', this.at);
      [least, most = least] = this.text.slice(this.at + 1, end).split(',').map(Number);
      this.at = end + 1;
    }
    return { one, least, used: Array(most - least + 1).fill(0) };
  }

  letter() {
    const c = this.text[this.at++];
    if (c === '(') {
      if (this.text.startsWith('?:', this.at)) this.at += 2;
      const inner = this.either();
      if (this.text[this.at++] !== ')') throw new Error(`( without ): ${this.text}`);
      return inner;
    }
    if (c === '[') return this.digits();
    if (c === '\\' && this.text[this.at++] === 'd') return { digits: '0123456789' };
    if (c >= '0' && c <= '9') return { digits: c };
    throw new Error(`"${c}" in ${this.text}`);
  }

  digits() {
    const end = this.text.indexOf(']', this.at);
    const set = this.text.slice(this.at, end).replace(/\\d/g, '0-9');
    this.at = end + 1;
    return {
      digits: set.replace(/(\d)-(\d)/g, (_, from, to) =>
        '0123456789'.slice(Number(from), Number(to) + 1)),
    };
  }

  // The index of one of the least used, and counts it.
  least(used) {
    const fewest = Math.min(...used);
    const open = [];
    for (let i = 0; i < used.length; i++) if (used[i] === fewest) open.push(i);
    const i = open[this.dice(open.length)];
    used[i]++;
    return i;
  }

  write(node) {
    if (node.digits) return node.digits[this.dice(node.digits.length)];
    let out = '';
    for (const piece of node.branches[this.least(node.used)]) {
      for (let n = piece.least + this.least(piece.used); n > 0; n--) out += this.write(piece.one);
    }
    return out;
  }

  next() {
    return this.write(this.root);
  }
}

module.exports = { Walker };
