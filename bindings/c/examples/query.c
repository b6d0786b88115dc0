/*
 * Opens the dumps that the command line names, or the sample, and prints rows of a query with a
 * parameter: cell by cell, and as text.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dumpql.h"

/* Prints an error and frees it; returns what main returns. */
static int fail(dumpql_error *error)
{
    fprintf(stderr, "%s\n", dumpql_error_render(error));
    dumpql_error_free(error);
    return 1;
}

static void print_cell(const dumpql_cell *cell)
{
    switch (cell->type) {
    case DUMPQL_TYPE_NULL:
        printf("-");
        break;
    case DUMPQL_TYPE_INTEGER:
        printf("%" PRId64, cell->integer);
        break;
    case DUMPQL_TYPE_ADDRESS:
        printf("0x%" PRIx64, cell->address);
        break;
    case DUMPQL_TYPE_TEXT:
        printf("%.*s", (int)cell->length, cell->text);
        break;
    default:
        printf("?");
    }
}

int main(int argc, char **argv)
{
    dumpql_error *error = NULL;
    dumpql_session *session;
    if (argc > 1) {
        session = dumpql_open((const char *const *)argv + 1, (size_t)argc - 1, NULL, &error);
    } else {
        session = dumpql_open_sample(NULL, &error);
    }
    if (session == NULL) {
        return fail(error);
    }

    dumpql_statement *statement = dumpql_prepare(
        session, "SELECT name, base, size_bytes FROM modules WHERE name = $name", &error);
    if (statement == NULL) {
        dumpql_session_free(session);
        return fail(error);
    }
    dumpql_bind_text(statement, "name", "nt");
    dumpql_statement_set_timeout(statement, 60000);
    dumpql_result *result = dumpql_statement_run(statement, &error);
    dumpql_statement_free(statement);
    dumpql_session_free(session);
    if (result == NULL) {
        return fail(error);
    }

    for (size_t column = 0; column < dumpql_result_columns(result); column++) {
        printf("%s%s %s", column > 0 ? ", " : "", dumpql_result_column_name(result, column),
               dumpql_result_column_type_name(result, column));
    }
    printf("\n");
    for (size_t row = 0; row < dumpql_result_rows(result); row++) {
        for (size_t column = 0; column < dumpql_result_columns(result); column++) {
            dumpql_cell cell;
            dumpql_result_cell(result, row, column, &cell);
            printf(column > 0 ? ", " : "");
            print_cell(&cell);
        }
        printf("\n");
    }

    char *csv = dumpql_result_format(result, "csv", &error);
    dumpql_result_free(result);
    if (csv == NULL) {
        return fail(error);
    }
    printf("%s", csv);
    dumpql_string_free(csv);
    return 0;
}
