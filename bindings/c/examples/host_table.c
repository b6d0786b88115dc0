/*
 * A table of the program: whenever a query reads it, a callback returns a stream of Arrow batches. They
 * are made by hand here; a program with an Arrow library would use that.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dumpql.h"

/* The table: the team that owns each driver. */
static const char *const DRIVERS[] = {"nt", "tcpip", "Ntfs"};
static const char *const TEAMS[] = {"kernel", "network", "storage"};
enum { ROWS = 3 };

/* --- the schema: a structure of two columns of text ------------------------------------------- */

static void release_schema(struct ArrowSchema *schema)
{
    for (int64_t child = 0; child < schema->n_children; child++) {
        if (schema->children[child]->release != NULL) {
            schema->children[child]->release(schema->children[child]);
        }
        free(schema->children[child]);
    }
    free(schema->children);
    schema->release = NULL;
}

static void fill_schema(struct ArrowSchema *schema, const char *format, const char *name)
{
    memset(schema, 0, sizeof *schema);
    schema->format = format;
    schema->name = name;
    schema->release = release_schema;
}

static void make_schema(struct ArrowSchema *schema)
{
    static const char *const names[] = {"driver", "team"};
    fill_schema(schema, "+s", "");
    schema->n_children = 2;
    schema->children = calloc(2, sizeof *schema->children);
    for (int child = 0; child < 2; child++) {
        schema->children[child] = calloc(1, sizeof **schema->children);
        fill_schema(schema->children[child], "u", names[child]);
    }
}

/* --- a batch ------------------------------------------------------------------------------------ */

static void release_array(struct ArrowArray *array)
{
    for (int64_t child = 0; child < array->n_children; child++) {
        if (array->children[child]->release != NULL) {
            array->children[child]->release(array->children[child]);
        }
        free(array->children[child]);
    }
    for (int64_t buffer = 0; buffer < array->n_buffers; buffer++) {
        free((void *)array->buffers[buffer]);
    }
    free(array->children);
    free(array->buffers);
    array->release = NULL;
}

static void make_text(struct ArrowArray *array, const char *const *texts)
{
    memset(array, 0, sizeof *array);
    array->length = ROWS;
    array->n_buffers = 3;
    array->buffers = calloc(3, sizeof *array->buffers);
    int32_t *ends = calloc(ROWS + 1, sizeof *ends);
    char *bytes = calloc(64, 1);
    for (int row = 0; row < ROWS; row++) {
        size_t length = strlen(texts[row]);
        memcpy(bytes + ends[row], texts[row], length);
        ends[row + 1] = ends[row] + (int32_t)length;
    }
    array->buffers[1] = ends;
    array->buffers[2] = bytes;
    array->release = release_array;
}

static void make_batch(struct ArrowArray *array)
{
    memset(array, 0, sizeof *array);
    array->length = ROWS;
    array->n_buffers = 1;
    array->buffers = calloc(1, sizeof *array->buffers);
    array->n_children = 2;
    array->children = calloc(2, sizeof *array->children);
    for (int child = 0; child < 2; child++) {
        array->children[child] = calloc(1, sizeof **array->children);
        make_text(array->children[child], child == 0 ? DRIVERS : TEAMS);
    }
    array->release = release_array;
}

/* --- a stream of one batch, or of an error ------------------------------------------------------ */

struct scan {
    int batches_left;
    int is_broken;
};

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    (void)stream;
    make_schema(out);
    return 0;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    struct scan *scan = stream->private_data;
    if (scan->is_broken) {
        return 5;
    }
    if (scan->batches_left == 0) {
        memset(out, 0, sizeof *out);
        return 0;
    }
    scan->batches_left--;
    make_batch(out);
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream)
{
    (void)stream;
    return "the directory service does not answer";
}

static void release_stream(struct ArrowArrayStream *stream)
{
    free(stream->private_data);
    stream->release = NULL;
}

static void make_stream(struct ArrowArrayStream *out, int is_broken)
{
    struct scan *scan = calloc(1, sizeof *scan);
    scan->batches_left = 1;
    scan->is_broken = is_broken;
    out->get_schema = get_schema;
    out->get_next = get_next;
    out->get_last_error = get_last_error;
    out->release = release_stream;
    out->private_data = scan;
}

/* --- the table ---------------------------------------------------------------------------------- */

/* The `user` pointer of the callback: the number of calls, and whether to fail. */
struct owners {
    int scans;
    int is_broken;
};

static int scan_owners(void *user, struct ArrowArrayStream *out)
{
    struct owners *owners = user;
    owners->scans++;
    make_stream(out, owners->is_broken);
    return 0;
}

static void free_owners(void *user)
{
    printf("scanned %d times\n", ((struct owners *)user)->scans);
    free(user);
}

static void print(const dumpql_session *session, const char *sql)
{
    dumpql_error *error = NULL;
    dumpql_result *result = dumpql_query(session, sql, &error);
    if (result == NULL) {
        printf("%s: %s\n", dumpql_error_code(error), dumpql_error_message(error));
        dumpql_error_free(error);
        return;
    }
    char *text = dumpql_result_format(result, "csv", NULL);
    printf("%s", text);
    dumpql_string_free(text);
    dumpql_result_free(result);
}

int main(void)
{
    dumpql_session *session = dumpql_open_sample(NULL, NULL);
    struct owners *owners = calloc(1, sizeof *owners);
    struct ArrowSchema schema;
    make_schema(&schema);
    if (!dumpql_add_table(session, "owners", "One row a driver that a team owns.", &schema,
                          scan_owners, owners, free_owners, NULL)) {
        return 1;
    }
    print(session, "SELECT m.name, o.team FROM modules m JOIN owners o ON o.driver = m.name "
                   "ORDER BY m.name");
    print(session, "SELECT name, doc FROM meta.tables WHERE name = 'owners'");
    owners->is_broken = 1;
    print(session, "FROM owners");

    /* Rows that are copied once instead of being made for each query. */
    struct ArrowArrayStream stream;
    make_stream(&stream, 0);
    dumpql_attach_stream(session, "copied", &stream, NULL);
    print(session, "SELECT count(*) AS rows FROM copied");
    dumpql_session_free(session);
    return 0;
}
