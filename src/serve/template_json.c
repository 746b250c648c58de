/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/template_json.h"

json_t *template_json(const struct template *t)
{
    return json_pack("{s:s, s:{s:s, s:s}, s:{s:s, s:s}, s:b}", "name", t->name, "title", "en",
                     t->en.title, "ja", t->ja.title, "text", "en", t->en.text, "ja", t->ja.text,
                     "takes_countries", template_takes_countries(t));
}

json_t *templates_json(void)
{
    json_t *items = json_array();

    for (size_t i = 0; i < template_count(); i++)
        if (json_array_append_new(items, template_json(template_at(i)))) {
            json_decref(items);
            return NULL;
        }
    return items;
}
