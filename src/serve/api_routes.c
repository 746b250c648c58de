/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_routes.h"

#include <stdio.h>

#include "serve/api_accounts.h"
#include "serve/api_attacks.h"
#include "serve/api_bans.h"
#include "serve/api_call_imports.h"
#include "serve/api_calls.h"
#include "serve/api_daemon.h"
#include "serve/api_guard_lists.h"
#include "serve/api_history.h"
#include "serve/api_import.h"
#include "serve/api_known_good.h"
#include "serve/api_lockouts.h"
#include "serve/api_metrics.h"
#include "serve/api_notices.h"
#include "serve/api_numbers.h"
#include "serve/api_objections.h"
#include "serve/api_presets.h"
#include "serve/api_prove.h"
#include "serve/api_records.h"
#include "serve/api_rules.h"
#include "serve/api_stops.h"
#include "serve/api_sweeps.h"
#include "serve/api_switches.h"
#include "serve/api_templates.h"
#include "serve/api_tenants.h"
#include "serve/api_tokens.h"
#include "serve/api_why.h"

#define EVERY (API_OPERATOR | API_TENANT | API_SWITCH)
#define OWNERS (API_OPERATOR | API_TENANT)

#define IMPORT "/v1/accounts/import"
#define CALL_IMPORTS "/v1/calls/imports"
#define ACCOUNT "/v1/accounts/{id}"
#define NAMED "/v1/switches/{switch}/accounts/{name}"
#define RULE "/{action}/{prefix}"
#define FIND_ACCOUNTS "switch tenant state q adopted limit cursor"
#define NUMBER "number plan switch outside extensions area"
#define REFUSALS "account name reason switch tenant since limit cursor"
#define GUARDED "/{switch}/{name}"
#define BANS "network attack switch observed limit cursor"
#define LOCKOUTS "kind switch tenant observed limit cursor"
#define KNOWN_GOOD "switch tenant account network limit cursor"
#define NOTICES "state kind tenant change limit cursor"
#define AUDIT "account object by action tenant since until limit cursor"

/* clang-format off: one row is one route */
const struct api_route api_routes[] = {
    {"GET", "/healthz", EVERY, API_HERE, API_NO_BODY, "", api_health},
    {"GET", "/metrics", API_OPERATOR, API_HERE, API_NO_BODY, "", api_metrics},
    {"GET", "/v1/status", API_OPERATOR, API_HERE, API_NO_BODY, "", api_status},
    {"GET", "/v1/settings", API_OPERATOR, API_READ, API_NO_BODY, "", api_settings_get},
    {"PATCH", "/v1/settings", API_OPERATOR, API_WRITE, API_PATCH, "", api_settings_patch},
    {"POST", "/v1/backup", API_OPERATOR, API_BACKUP, API_JSON, "", api_backup},

    {"POST", "/v1/authorize", EVERY, API_HERE, API_QUESTION, "", api_authorize},

    {"GET", "/v1/accounts", OWNERS, API_READ, API_NO_BODY, FIND_ACCOUNTS, api_accounts_list},
    {"POST", "/v1/accounts", OWNERS, API_WRITE, API_JSON, "", api_accounts_post},
    {"POST", IMPORT, OWNERS, API_ALONE, API_IMPORT, "switch tenant existing ticket", api_import},
    {"GET", IMPORT "/{ticket}", OWNERS, API_HERE, API_NO_BODY, "", api_import_get},
    {"DELETE", IMPORT "/{ticket}", OWNERS, API_HERE, API_NO_BODY, "", api_import_delete},
    {"GET", ACCOUNT, OWNERS, API_READ, API_NO_BODY, "", api_account_get},
    {"PATCH", ACCOUNT, OWNERS, API_WRITE, API_PATCH, "", api_account_patch},
    {"DELETE", ACCOUNT, OWNERS, API_WRITE, API_NO_BODY, "", api_account_delete},
    {"GET", NAMED, OWNERS, API_READ, API_NO_BODY, "", api_account_named_get},
    {"PUT", NAMED, OWNERS, API_WRITE, API_JSON_OPTIONAL, "", api_account_named_put},

    {"GET", ACCOUNT "/rules", OWNERS, API_READ, API_NO_BODY, "", api_account_rules_get},
    {"PUT", ACCOUNT "/rules", OWNERS, API_WRITE, API_JSON, "", api_account_rules_put},
    {"PUT", ACCOUNT "/rules" RULE, OWNERS, API_WRITE, API_JSON_OPTIONAL, "", api_account_rule_put},
    {"DELETE", ACCOUNT "/rules" RULE, OWNERS, API_WRITE, API_NO_BODY, "", api_account_rule_delete},
    {"GET", "/v1/tenants/{name}/rules", OWNERS, API_READ, API_NO_BODY, "", api_tenant_rules_get},
    {"PUT", "/v1/tenants/{name}/rules", OWNERS, API_WRITE, API_JSON, "", api_tenant_rules_put},
    {"PUT", "/v1/tenants/{name}/rules" RULE, OWNERS, API_WRITE, API_JSON_OPTIONAL, "",
     api_tenant_rule_put},
    {"DELETE", "/v1/tenants/{name}/rules" RULE, OWNERS, API_WRITE, API_NO_BODY, "",
     api_tenant_rule_delete},
    {"GET", "/v1/operator/rules", API_OPERATOR, API_READ, API_NO_BODY, "", api_operator_rules_get},
    {"PUT", "/v1/operator/rules", API_OPERATOR, API_WRITE, API_JSON, "", api_operator_rules_put},
    {"PUT", "/v1/operator/rules" RULE, API_OPERATOR, API_WRITE, API_JSON_OPTIONAL, "",
     api_operator_rule_put},
    {"DELETE", "/v1/operator/rules" RULE, API_OPERATOR, API_WRITE, API_NO_BODY, "",
     api_operator_rule_delete},

    {"GET", "/v1/stops", OWNERS, API_READ, API_NO_BODY, "limit cursor", api_stops_list},
    {"PUT", "/v1/stops/{scope}", OWNERS, API_URGENT, API_JSON_OPTIONAL, "", api_stop_put},
    {"DELETE", "/v1/stops/{scope}", OWNERS, API_WRITE, API_NO_BODY, "", api_stop_delete},

    {"GET", "/v1/announcements", API_OPERATOR, API_READ, API_NO_BODY, "limit cursor",
     api_announcements_list},
    {"POST", "/v1/announcements", API_OPERATOR, API_ALONE, API_JSON, "", api_announcements_post},
    {"GET", "/v1/objections", OWNERS, API_READ, API_NO_BODY, "limit cursor", api_objections_list},
    {"PUT", "/v1/objections/{scope}", OWNERS, API_WRITE, API_JSON_OPTIONAL, "", api_objection_put},
    {"DELETE", "/v1/objections/{scope}", OWNERS, API_WRITE, API_NO_BODY, "", api_objection_delete},

    {"GET", ACCOUNT "/history", OWNERS, API_CALLS, API_NO_BODY, "", api_history_get},
    {"POST", ACCOUNT "/disowned", API_OPERATOR, API_CALLS, API_JSON_OPTIONAL, "",
     api_disowned_post},
    {"DELETE", ACCOUNT "/disowned/{number}", API_OPERATOR, API_CALLS, API_NO_BODY, "",
     api_disowned_delete},

    {"POST", CALL_IMPORTS, API_OPERATOR, API_CALLS, API_JSON, "", api_call_imports_post},
    {"PUT", CALL_IMPORTS "/{id}", API_OPERATOR, API_CALLS, API_IMPORT, "position digest last",
     api_call_import_put},
    {"POST", CALL_IMPORTS "/{id}/finish", API_OPERATOR, API_CALLS, API_JSON, "",
     api_call_import_finish},

    {"GET", "/v1/sweeps", API_OPERATOR, API_READ, API_NO_BODY, "limit cursor", api_sweeps_list},
    {"POST", "/v1/sweeps", API_OPERATOR, API_ALONE, API_JSON, "", api_sweeps_post},
    {"POST", "/v1/sweeps/preview", API_OPERATOR, API_ALONE, API_JSON_OPTIONAL, "format",
     api_sweep_preview},
    {"GET", "/v1/sweeps/{id}", API_OPERATOR, API_READ, API_NO_BODY, "", api_sweep_get},
    {"DELETE", "/v1/sweeps/{id}", API_OPERATOR, API_ALONE, API_NO_BODY, "", api_sweep_delete},
    {"GET", "/v1/sweeps/{id}/accounts", API_OPERATOR, API_READ, API_NO_BODY, "fate limit cursor",
     api_sweep_accounts},

    {"GET", "/v1/notices", API_OPERATOR, API_READ, API_NO_BODY, NOTICES, api_notices_list},
    {"POST", "/v1/notices/test", API_OPERATOR, API_WRITE, API_JSON, "", api_notice_test},
    {"GET", "/v1/notices/preview/{kind}", API_OPERATOR, API_READ, API_NO_BODY, "language",
     api_notice_preview},
    {"GET", "/v1/notices/{id}", API_OPERATOR, API_READ, API_NO_BODY, "", api_notice_get},
    {"POST", "/v1/notices/{id}/retry", API_OPERATOR, API_WRITE, API_NO_BODY, "", api_notice_retry},

    {"GET", "/v1/bans", API_OPERATOR, API_HERE, API_NO_BODY, BANS, api_bans_list},
    {"POST", "/v1/bans", API_OPERATOR, API_HERE, API_JSON, "consent", api_bans_post},
    {"GET", "/v1/bans/{network}", API_OPERATOR, API_HERE, API_NO_BODY, "", api_ban_get},
    {"DELETE", "/v1/bans/{network}", API_OPERATOR, API_HERE, API_NO_BODY, "", api_ban_delete},
    {"GET", "/v1/lockouts", OWNERS, API_HERE, API_NO_BODY, LOCKOUTS, api_lockouts_list},
    {"GET", "/v1/lockouts" GUARDED, OWNERS, API_HERE, API_NO_BODY, "", api_lockout_get},
    {"DELETE", "/v1/lockouts" GUARDED, API_OPERATOR, API_HERE, API_NO_BODY, "consent",
     api_lockout_delete},
    {"GET", "/v1/known-good", API_OPERATOR, API_READ, API_NO_BODY, KNOWN_GOOD, api_known_good_list},
    {"DELETE", "/v1/known-good" GUARDED, API_OPERATOR, API_HERE, API_NO_BODY, "",
     api_known_good_delete},
    {"DELETE", "/v1/known-good" GUARDED "/{network}", API_OPERATOR, API_HERE, API_NO_BODY, "",
     api_known_good_delete},
    {"GET", "/v1/access", API_OPERATOR, API_READ, API_NO_BODY, "limit cursor", api_access_list},
    {"GET", "/v1/access/{network}", API_OPERATOR, API_READ, API_NO_BODY, "", api_access_get},
    {"PUT", "/v1/access/{network}", API_OPERATOR, API_WRITE, API_JSON_OPTIONAL, "consent",
     api_access_put},
    {"DELETE", "/v1/access/{network}", API_OPERATOR, API_WRITE, API_NO_BODY, "consent",
     api_access_delete},
    {"GET", "/v1/never-ban", API_OPERATOR, API_HERE, API_NO_BODY, "limit cursor",
     api_never_ban_list},
    {"GET", "/v1/never-ban/{network}", API_OPERATOR, API_READ, API_NO_BODY, "", api_never_ban_get},
    {"PUT", "/v1/never-ban/{network}", API_OPERATOR, API_WRITE, API_JSON_OPTIONAL, "consent",
     api_never_ban_put},
    {"DELETE", "/v1/never-ban/{network}", API_OPERATOR, API_WRITE, API_NO_BODY, "",
     api_never_ban_delete},
    {"GET", "/v1/canaries", API_OPERATOR, API_READ, API_NO_BODY, "limit cursor", api_canaries_list},
    {"GET", "/v1/canaries" GUARDED, API_OPERATOR, API_READ, API_NO_BODY, "", api_canary_get},
    {"PUT", "/v1/canaries" GUARDED, API_OPERATOR, API_WRITE, API_JSON_OPTIONAL, "", api_canary_put},
    {"DELETE", "/v1/canaries" GUARDED, API_OPERATOR, API_WRITE, API_NO_BODY, "", api_canary_delete},
    {"GET", "/v1/why", API_OPERATOR, API_HERE, API_NO_BODY, "address account switch", api_why},
    {"GET", "/v1/attacks", API_OPERATOR, API_READ, API_NO_BODY, "since until switch top format",
     api_attacks},

    {"GET", "/v1/switches", OWNERS, API_READ, API_NO_BODY, "limit cursor", api_switches_list},
    {"POST", "/v1/switches", API_OPERATOR, API_WRITE, API_JSON, "", api_switches_post},
    {"GET", "/v1/switches/{name}", OWNERS, API_READ, API_NO_BODY, "", api_switch_get},
    {"PUT", "/v1/switches/{name}", API_OPERATOR, API_WRITE, API_JSON, "", api_switch_put},
    {"PATCH", "/v1/switches/{name}", API_OPERATOR, API_WRITE, API_PATCH, "", api_switch_patch},
    {"DELETE", "/v1/switches/{name}", API_OPERATOR, API_WRITE, API_NO_BODY, "", api_switch_delete},

    {"GET", "/v1/tenants", OWNERS, API_READ, API_NO_BODY, "tenant limit cursor", api_tenants_list},
    {"POST", "/v1/tenants", API_OPERATOR, API_WRITE, API_JSON, "", api_tenants_post},
    {"GET", "/v1/tenants/{name}", OWNERS, API_READ, API_NO_BODY, "", api_tenant_get},
    {"PUT", "/v1/tenants/{name}", API_OPERATOR, API_WRITE, API_JSON, "", api_tenant_put},
    {"PATCH", "/v1/tenants/{name}", API_OPERATOR, API_WRITE, API_PATCH, "", api_tenant_patch},
    {"DELETE", "/v1/tenants/{name}", API_OPERATOR, API_WRITE, API_NO_BODY, "", api_tenant_delete},

    {"GET", "/v1/presets", OWNERS, API_READ, API_NO_BODY, "limit cursor", api_presets_list},
    {"POST", "/v1/presets", API_OPERATOR, API_WRITE, API_JSON, "", api_presets_post},
    {"GET", "/v1/presets/{name}", OWNERS, API_READ, API_NO_BODY, "", api_preset_get},
    {"PUT", "/v1/presets/{name}", API_OPERATOR, API_WRITE, API_JSON, "", api_preset_put},
    {"PATCH", "/v1/presets/{name}", API_OPERATOR, API_WRITE, API_PATCH, "", api_preset_patch},
    {"DELETE", "/v1/presets/{name}", API_OPERATOR, API_WRITE, API_NO_BODY, "", api_preset_delete},

    {"GET", "/v1/tokens", API_OPERATOR, API_READ, API_NO_BODY, "limit cursor", api_tokens_list},
    {"POST", "/v1/tokens", API_OPERATOR, API_WRITE, API_JSON, "", api_tokens_post},
    {"DELETE", "/v1/tokens/{id}", API_OPERATOR, API_WRITE, API_NO_BODY, "", api_token_delete},

    {"POST", "/v1/prove", OWNERS, API_READ, API_JSON, "", api_prove_post},
    {"GET", ACCOUNT "/prove", OWNERS, API_READ, API_NO_BODY, "against ranges", api_account_prove},
    {"GET", "/v1/tenants/{name}/prove", OWNERS, API_READ, API_NO_BODY, "against ranges plan switch",
     api_tenant_prove},
    {"GET", "/v1/operator/prove", API_OPERATOR, API_READ, API_NO_BODY, "ranges plan switch",
     api_operator_prove},
    {"GET", "/v1/templates", OWNERS, API_HERE, API_NO_BODY, "", api_templates_list},
    {"POST", "/v1/templates/{name}/preview", OWNERS, API_READ, API_JSON_OPTIONAL, "",
     api_template_preview},
    {"POST", "/v1/templates/{name}", OWNERS, API_WRITE, API_JSON, "", api_template_apply},

    {"GET", "/v1/complement", OWNERS, API_HERE, API_NO_BODY, "root allow", api_complement},
    {"GET", "/v1/number", OWNERS, API_HERE, API_NO_BODY, NUMBER, api_number},
    {"GET", "/v1/refusals", OWNERS, API_READ, API_NO_BODY, REFUSALS, api_refusals_list},
    {"GET", "/v1/audit", OWNERS, API_READ, API_NO_BODY, AUDIT, api_audit_list},
};
/* clang-format on */

const size_t api_routes_n = sizeof(api_routes) / sizeof(api_routes[0]);

bool api_match(const char *pattern, const struct target *target, struct span params[API_PARAMS_MAX])
{
    struct span left = span_skip(span_of(pattern), 1);
    struct span found[API_PARAMS_MAX] = {{NULL, 0}};
    size_t n_found = 0;
    size_t i = 0;

    while (left.p) {
        struct span part = span_cut(left, '/', &left);

        if (i == target->n)
            return false;
        if (part.n && part.p[0] == '{') {
            if (!target->segments[i].n || n_found == API_PARAMS_MAX)
                return false;
            found[n_found++] = target->segments[i];
        } else if (!span_eq(part, target->segments[i])) {
            return false;
        }
        i++;
    }
    if (i != target->n)
        return false;
    memcpy(params, found, sizeof(found));
    return true;
}

static void allow_also(char *allow, size_t size, const char *method)
{
    size_t n = strlen(allow);

    snprintf(allow + n, size - n, "%s%s%s", n ? ", " : "", method,
             strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

int api_route(struct api *api, const char *method, struct fault *f)
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;

    api->allow[0] = 0;
    for (size_t i = 0; i < api_routes_n; i++) {
        if (!api_match(api_routes[i].pattern, &api->target, api->params))
            continue;
        if (strcmp(api_routes[i].method, wanted) == 0) {
            api->route = &api_routes[i];
            return 0;
        }
        allow_also(api->allow, sizeof(api->allow), api_routes[i].method);
    }
    if (api->allow[0])
        return api_refuse(api, 405, f, ERR_RANGE, "%s is not for this resource; allowed are %s",
                          ESCAPED(span_of(method)), api->allow);
    return api_refuse(api, 404, f, ERR_MISSING, "there is no such path");
}

static bool word_in(struct span word, const char *words)
{
    struct span left = span_of(words);

    while (left.n) {
        if (span_eq(span_cut(left, ' ', &left), word))
            return word.n > 0;
    }
    return false;
}

int api_check_query(struct api *api, struct fault *f)
{
    const struct target_query *query = &api->target.query;

    for (size_t i = 0; i < query->n; i++) {
        struct span key = query->pairs[i].key;

        if (!word_in(key, api->route->query))
            return api_refuse_parameter(
                api, ESCAPED(key), f, "there is no parameter \"%s\" here; %s%s", ESCAPED(key),
                api->route->query[0] ? "allowed are " : "none is allowed", api->route->query);
        for (size_t j = 0; j < i && !span_is(key, "allow"); j++) {
            if (span_eq(query->pairs[j].key, key))
                return api_refuse_parameter(api, ESCAPED(key), f,
                                            "the parameter \"%s\" stands twice", ESCAPED(key));
        }
    }
    return 0;
}
