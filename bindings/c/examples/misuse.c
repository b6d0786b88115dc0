/*
 * A wrong call returns an error and never crashes. Every function is called with NULL.
 */

#include <stdio.h>
#include <string.h>

#include "dumpql.h"

static void print(dumpql_error *error)
{
    uint32_t start = 0, end = 0;
    bool has_place = dumpql_error_span(error, &start, &end);
    printf("%s: %s", dumpql_error_code(error), dumpql_error_message(error));
    if (has_place) {
        printf(" [%u..%u]", start, end);
    }
    for (size_t line = 0; dumpql_error_help(error, line) != NULL; line++) {
        printf("; %s", dumpql_error_help(error, line));
    }
    printf("\n");
    dumpql_error_free(error);
}

int main(void)
{
    dumpql_error *error = NULL;

    /* NULL objects. */
    dumpql_error_free(NULL);
    dumpql_options_free(NULL);
    dumpql_session_free(NULL);
    dumpql_statement_free(NULL);
    dumpql_result_free(NULL);
    dumpql_cancel_token_free(NULL);
    dumpql_string_free(NULL);
    dumpql_options_set_strict(NULL, true);
    dumpql_options_set_timeout(NULL, 1);
    dumpql_statement_set_memory(NULL, 1);
    dumpql_cancel_token_cancel(NULL);
    if (dumpql_query(NULL, "SELECT 1", &error) != NULL) {
        return 1;
    }
    print(error);
    if (dumpql_query(NULL, NULL, NULL) != NULL || dumpql_statement_run(NULL, NULL) != NULL
        || dumpql_result_rows(NULL) != 0 || dumpql_result_column_name(NULL, 0) != NULL
        || dumpql_result_render(NULL, 0, 0) != NULL || dumpql_result_cell(NULL, 0, 0, NULL)
        || dumpql_error_code(NULL) != NULL || dumpql_cancel_token_is_cancelled(NULL)
        || dumpql_session_source(NULL, 0) != NULL || dumpql_bind_null(NULL, "x")
        || dumpql_sample_bytes(NULL) != NULL || dumpql_result_footnote(NULL, 0, NULL)
        || dumpql_options_add_symbols(NULL, "x") || dumpql_session_is_open(NULL, "x")) {
        return 1;
    }

    /* Files and bytes that are not a dump. */
    const char *path = "no/such/file.dmp";
    dumpql_open(&path, 1, NULL, &error);
    printf("%s\n", dumpql_error_code(error));
    dumpql_error_free(error);
    dumpql_open(NULL, 1, NULL, &error);
    print(error);
    dumpql_open_memory("notes", (const uint8_t *)"text", 4, NULL, &error);
    printf("%s\n", dumpql_error_code(error));
    dumpql_error_free(error);

    /* A dump in memory, and queries with errors in them. */
    dumpql_options *options = dumpql_options_new();
    dumpql_options_set_offline(options, true);
    dumpql_options_set_memory(options, 1 << 20);
    size_t length = 0;
    const uint8_t *bytes = dumpql_sample_bytes(&length);
    dumpql_session *session = dumpql_open_memory("memory", bytes, length, options, &error);
    dumpql_options_free(options);
    char *name = dumpql_session_source(session, 0);
    printf("%s\n", name);
    dumpql_string_free(name);
    dumpql_query(session, "SELECT nmae FROM modules", &error);
    print(error);
    dumpql_query(session, "\xff", &error);
    print(error);
    dumpql_query(session, "SELECT count(*) FROM (SELECT DISTINCT a.range, b.range FROM range(3000) a,"
                          " range(3000) b)", &error);
    printf("%s\n", dumpql_error_code(error));
    dumpql_error_free(error);
    dumpql_query(session, "ATTACH 'x.dmp' AS x", &error);
    printf("%s\n", dumpql_error_code(error));
    dumpql_error_free(error);
    dumpql_prepare_saved(session, "modulse", &error);
    printf("%s\n", dumpql_error_code(error));
    dumpql_error_free(error);
    struct ArrowArrayStream released;
    memset(&released, 0, sizeof released);
    if (dumpql_attach_stream(session, "x", &released, &error)) {
        return 1;
    }
    printf("%s\n", dumpql_error_code(error));
    dumpql_error_free(error);

    /* Reads beyond the ends. */
    dumpql_result *result = dumpql_query(session, "SELECT 1 AS one", &error);
    dumpql_cell cell;
    dumpql_result_cell(result, 9, 9, &cell);
    printf("%d %s\n", (int)cell.type, dumpql_result_column_name(result, 9) == NULL ? "none" : "one");
    if (dumpql_result_write(result, "x.unknown", NULL, &error)
        || dumpql_result_format(result, "parquet", NULL) != NULL) {
        return 1;
    }
    print(error);
    dumpql_result_free(result);
    dumpql_session_free(session);
    return 0;
}
