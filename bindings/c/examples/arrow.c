/*
 * Reads a result through the Arrow C stream interface: batches of columns, without a copy.
 */

#include <inttypes.h>
#include <stdio.h>

#include "dumpql.h"

int main(void)
{
    dumpql_error *error = NULL;
    dumpql_session *session = dumpql_open_sample(NULL, &error);
    dumpql_result *result = NULL;
    if (session != NULL) {
        result = dumpql_query(session, "SELECT base, size_bytes FROM modules", &error);
    }
    struct ArrowArrayStream stream;
    if (result == NULL || !dumpql_result_stream(result, &stream, &error)) {
        fprintf(stderr, "%s\n", dumpql_error_render(error));
        dumpql_error_free(error);
        dumpql_result_free(result);
        dumpql_session_free(session);
        return 1;
    }
    /* The stream needs neither the result nor the session. */
    dumpql_result_free(result);
    dumpql_session_free(session);

    struct ArrowSchema schema;
    if (stream.get_schema(&stream, &schema) != 0) {
        stream.release(&stream);
        return 1;
    }
    for (int64_t column = 0; column < schema.n_children; column++) {
        printf("%s: %s\n", schema.children[column]->name, schema.children[column]->format);
    }
    schema.release(&schema);

    /* The second column holds signed integers of 64 bits; those that are NULL are 0 here. */
    int64_t rows = 0, bytes = 0;
    struct ArrowArray batch;
    while (stream.get_next(&stream, &batch) == 0 && batch.release != NULL) {
        const struct ArrowArray *sizes = batch.children[1];
        const int64_t *values = (const int64_t *)sizes->buffers[1] + sizes->offset;
        for (int64_t row = 0; row < batch.length; row++) {
            bytes += values[row];
        }
        rows += batch.length;
        batch.release(&batch);
    }
    stream.release(&stream);
    printf("%" PRId64 " modules, %s\n", rows, bytes > 0 ? "with sizes" : "without sizes");
    return 0;
}
