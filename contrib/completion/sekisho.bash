# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for sekisho(1). Commands and options are listed here; names of switches, tenants,
# presets and accounts are asked of the daemon, quietly and for at most a second.

_sekisho_names() { # KIND: names of switches, tenants, presets or accounts
    local limit=()
    [ "$1" = account ] && limit=(--limit 1000)
    timeout 1 "${COMP_WORDS[0]}" "$1" list "${limit[@]}" --json 2>/dev/null |
        sed -n 's/.*"name":"\([^"\\]*\)".*/\1/p'
}

_sekisho_options() { # COMMAND SUBCOMMAND
    case "$1 $2" in
    "switch add" | "switch set") echo --address --plan --outside --extensions --area --form --mode --unknown \
        --adopt-tenant --tenant --sip-account --sip-allow --sip-deny --fail-open --yes ;;
    "tenant add" | "tenant set") echo --title --parent --mode --preset --language --area --mail --yes ;;
    "preset add" | "preset set") echo --restrict --except --no-rules --title ;;
    "account list") echo --switch --tenant --state --query --limit ;;
    "account add" | "account set") echo --switch --tenant --state --note ;;
    "account import") echo --keep --csv --json-lines --switch --tenant --quiet ;;
    "account discover") echo --ami --user --secret-file --switch --tenant --yes ;;
    "account "*) echo --switch ;;
    "restrict list") echo --account --switch --tenant --operator ;;
    "restrict add") echo --account --switch --tenant --operator --mandatory --until --schedule ;;
    "restrict except") echo --account --switch --tenant --operator --until --schedule --yes ;;
    "restrict remove") echo --account --switch --tenant --operator --restriction --exception --yes ;;
    "template show") echo --plan --outside --extensions --area --tables ;;
    "template apply") echo --account --switch --tenant --preset --operator --plan --until --schedule --dry-run --yes ;;
    "template export") echo --plan --outside --extensions --area --tables --restrict-only --comments ;;
    "stop list") ;;
    "stop "*) echo --account --switch --tenant --note --undo --yes ;;
    "sweep preview") echo --since --tenant --include-lifted --young --gap --csv ;;
    "sweep announce") echo --restrict --on ;;
    "sweep apply") echo --restrict --early ;;
    "sweep undo") echo --yes ;;
    "sweep show") echo --accounts --limit ;;
    "sweep object") echo --account --switch --tenant --note --undo ;;
    "sweep "*) ;;
    "notices list") echo --state --kind --tenant --change --limit ;;
    "notices preview") echo --language --html ;;
    "notices test") echo --language ;;
    "check "*) echo --account --switch --remote --plan --outside --extensions --area --form --tables --born \
        --restrict --except --stdin ;;
    "number "*) echo --plan --outside --extensions --area --tables --switch ;;
    "complement "*) echo --root --allow ;;
    "prove "*) echo --plan --outside --extensions --area --tables --born --restrict --except --rules --against \
        --against-restrict --against-except --account --switch --tenant --operator --against-account --against-tenant \
        --ranges --all --restrictions ;;
    "replay "*) echo --file --format --zone --mapping --payer --plan --outside --extensions --area --tables --born \
        --restrict --except --rules --template --countries --rates --since --until --top --csv ;;
    "refusals "* | "audit "*) echo --account --switch --tenant --since --limit ;;
    "bans "*) echo --network --attack --switch ;;
    "ban "*) echo --for --note --yes ;;
    "unban "*) echo --direct ;;
    "lockouts "*) echo --kind --switch --tenant ;;
    "unlock "*) echo --switch --yes ;;
    "known-good list") echo --account --switch --tenant --network ;;
    "known-good forget") echo --switch --all ;;
    "access add" | "never-ban add") echo --note --yes ;;
    "access remove" | "never-ban remove") echo --yes ;;
    "canary add") echo --switch --note ;;
    "canary remove") echo --switch ;;
    "cdr import") echo --switch --format --zone --payer --mapping --rejects --quiet ;;
    "history disown") echo --since --until --country --switch ;;
    "history "*) echo --switch ;;
    "why "*) echo --switch ;;
    "attacks "*) echo --since --until --switch --top --csv ;;
    "token add") echo --label --expires ;;
    "settings set") echo --refusal-days --refusals-max --refusals-per-account --adopted-max --attempt-days --attempts-max --decision-days --decisions-max --decisions-per-subject ;;
    "doctor "*) echo --asterisk --dialplan-file --plan --config ;;
    esac
}

_sekisho_subcommands() { # COMMAND
    case "$1" in
    notices) echo list show retry preview test ;;
    switch | tenant | preset) echo list show add set remove ;;
    account) echo list show add set suspend resume remove import discover ;;
    restrict) echo list add except remove ;;
    template) echo list show apply export ;;
    stop) echo now undo list ;;
    sweep) echo preview announce apply undo list show object objections announcements ;;
    known-good) echo list forget ;;
    access | never-ban | canary) echo list add remove ;;
    token) echo list add revoke ;;
    settings) echo show set ;;
    cdr) echo import ;;
    history) echo show disown own ;;
    esac
}

_sekisho_value() { # what may stand behind option $1; fails where $1 takes no value that is known
    case "$1" in
    --switch) _sekisho_names switch ;;
    --tenant | --adopt-tenant | --parent | --against-tenant) _sekisho_names tenant ;;
    --preset) _sekisho_names preset ;;
    --account | --against-account) _sekisho_names account ;;
    --lang | --language) echo en ja ;;
    --sip-account) echo P-Asserted-Identity From subdomain ;;
    --sip-allow) echo 302 404 503 ;;
    --sip-deny) echo 603 403 608 ;;
    --fail-open) echo yes no ;;
    --mode) echo enforce observe inherit ;;
    --unknown) echo born deny ;;
    --format) echo asterisk freeswitch kamailio mapping ;;
    --form) echo dialled +e164 e164 ;;
    --kind) echo lockout international takeover ;;
    --attack) echo brute-force slow enumeration scan call malformed canary operator ;;
    --state) echo active suspended locked ;;
    *) return 1 ;;
    esac
}

_sekisho() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local commands="status switch tenant preset account restrict template stop sweep notices check number prove replay complement bans ban
        unban lockouts unlock known-good access never-ban canary cdr history refusals audit why
        attacks token settings backup doctor version help"
    local global="--socket --url --token-file --json --lang --help"
    local command='' sub='' words i
    COMPREPLY=()

    # The command and the subcommand: the first words that are neither options nor their values.
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --socket | --url | --token-file | --lang) ((i++)) ;;
        --*) ;;
        *)
            if [ -z "$command" ]; then
                command=${COMP_WORDS[i]}
            else
                sub=${COMP_WORDS[i]}
                break
            fi
            ;;
        esac
    done

    case $prev in
    --socket | --token-file | --secret-file | --dialplan-file | --config | --rules | --against)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
        ;;
    --asterisk | --tables)
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
        return
        ;;
    esac
    if [ "$command $prev" = "sweep --csv" ]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
    fi
    if words=$(_sekisho_value "$prev"); then
        :
    elif [[ $cur == -* ]]; then
        words="$(_sekisho_options "$command" "$sub") $global"
    elif [ -z "$command" ]; then
        words=$commands
    elif [ "$command" = help ]; then
        words=${sub:+$(_sekisho_subcommands "$sub")}
        [ -n "$sub" ] || words=$commands
    elif [ -z "$sub" ] && words=$(_sekisho_subcommands "$command") && [ -n "$words" ]; then
        :
    else
        case "$command $sub" in
        "account import" | "backup "*)
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
            return
            ;;
        "account add" | "account list") ;;
        template\ *) words="international-off only-countries us-canada only-new-york no-high-risk" ;;
        account\ * | restrict\ *) words=$(_sekisho_names account) ;;
        "switch show" | "switch set" | "switch remove") words=$(_sekisho_names switch) ;;
        "tenant show" | "tenant set" | "tenant remove") words=$(_sekisho_names tenant) ;;
        "preset show" | "preset set" | "preset remove") words=$(_sekisho_names preset) ;;
        "token add") words="operator tenant: switch:" ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _sekisho sekisho
