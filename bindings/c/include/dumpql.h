/*
 * dumpql: SQL over Windows crash dumps, from C and C++.
 *
 * Generated from bindings/c/src by `bindings/c/test --header`; not to be edited.
 *
 * Ownership. A function that returns an object (`dumpql_…  *`, `char *`) gives it to the caller, who
 * frees it with the function that its description names, once; freeing NULL does nothing. What is
 * returned as `const` belongs to the object that it was asked of, and is valid until that is freed.
 * Objects do not depend on each other: a session may be freed while its statements and results are
 * in use.
 *
 * Threads. A session, a result, an error and a cancel token may be used by several threads at the
 * same time. Options and statements may be used by one thread at a time. An object is freed when no
 * other thread uses it.
 *
 * Errors. A function that can fail takes `dumpql_error **error` last. It sets `*error` to NULL, or to
 * an error that the caller frees with `dumpql_error_free`, and then returns NULL or false. `error`
 * may be NULL, if nobody wants to know. NULL where an object or a text is needed is an error too
 * (C0001), and so is text that is not UTF-8 (C0002). A defect of the library is an error (E0901) and
 * never ends the program.
 *
 * Text is UTF-8. Text that goes in ends with a NUL; so does text that comes out, except where a length
 * is returned with it.
 */

#ifndef DUMPQL_H
#define DUMPQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The Arrow C data and stream interfaces, as their specification gives them. */

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

#endif /* ARROW_C_DATA_INTERFACE */

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

#endif /* ARROW_C_STREAM_INTERFACE */

#ifdef __cplusplus
}
#endif


// The type of a column or of a value.
typedef enum dumpql_type {
    // No value (NULL).
    DUMPQL_TYPE_NULL = 0,
    // A Boolean.
    DUMPQL_TYPE_BOOLEAN = 1,
    // A signed 64-bit integer.
    DUMPQL_TYPE_INTEGER = 2,
    // A floating-point number.
    DUMPQL_TYPE_DOUBLE = 3,
    // UTF-8 text.
    DUMPQL_TYPE_TEXT = 4,
    // An address, or another unsigned 64-bit number.
    DUMPQL_TYPE_ADDRESS = 5,
    // A point in time: microseconds since 1970-01-01 UTC.
    DUMPQL_TYPE_TIMESTAMP = 6,
    // A duration in microseconds.
    DUMPQL_TYPE_INTERVAL = 7,
    // A type without a member in this version of the interface; `dumpql_result_render` and the
    // Arrow interfaces give its values.
    DUMPQL_TYPE_OTHER = 8,
} dumpql_type;

// Cancels queries from another thread. Free it with `dumpql_cancel_token_free`; statements to
// which it was added do not need it any more.
typedef struct dumpql_cancel_token dumpql_cancel_token;

// Why a call failed. Free it with `dumpql_error_free`.
typedef struct dumpql_error dumpql_error;

// How dumps are opened. Free it with `dumpql_options_free`; sessions do not need it any more.
typedef struct dumpql_options dumpql_options;

// The rows of a query. Free it with `dumpql_result_free`.
typedef struct dumpql_result dumpql_result;

// Open dumps, over which queries run. Free it with `dumpql_session_free`.
typedef struct dumpql_session dumpql_session;

// A parsed query, which can be run several times. Free it with `dumpql_statement_free`.
typedef struct dumpql_statement dumpql_statement;

// Starts a scan of a table of the host program. The callback fills `out` with a stream of batches
// that have the columns of the table's schema, and returns 0. If it returns another number, it
// leaves `out` alone and the query fails.
//
// It is called once per scan, by any thread and by several threads at the same time; the same
// thread reads and releases the stream. An error of the stream ends the query with the error's
// text.
typedef int (*dumpql_scan_callback)(void *user, struct ArrowArrayStream *out);

// Frees the `user` pointer of a callback.
typedef void (*dumpql_free_callback)(void *user);

// One value. `type` says which of the other members holds it; the rest are 0.
typedef struct dumpql_cell {
    // The type of the value; `DUMPQL_TYPE_NULL` if there is none.
    enum dumpql_type type;
    // The value of a `BOOLEAN`.
    bool boolean;
    // The value of an `INTEGER`; the microseconds of a `TIMESTAMP` and of an `INTERVAL`.
    int64_t integer;
    // The value of an `ADDRESS`.
    uint64_t address;
    // The value of a `DOUBLE`.
    double number;
    // The bytes of a text, which belong to the result and do not end with a NUL.
    const char *text;
    // The number of bytes of the text.
    size_t length;
} dumpql_cell;

// Why values of a column of a table were absent, and how often.
typedef struct dumpql_footnote {
    // The table that was read. The text belongs to the result.
    const char *table;
    // Its column. The text belongs to the result.
    const char *column;
    // The reason: `not in dump`, `paged out`, `demand zero`, `unreadable` or `no symbols`. The text
    // belongs to the result.
    const char *reason;
    // The number of rows.
    size_t count;
} dumpql_footnote;

// Reports the progress of a query: how many rows were read, and how many bytes of memory a search
// has covered, of how many (both 0 without a search). The callback returns whether the query
// continues; false cancels it.
//
// It is called once on the thread that runs the statement before the query begins, then about ten
// times a second on a thread of the library; never by two threads at once. It must not use the
// statement.
typedef bool (*dumpql_progress_callback)(void *user,
                                         uint64_t rows,
                                         uint64_t searched_bytes,
                                         uint64_t all_bytes);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The rows as a stream of the Arrow C stream interface, which the caller releases. Columns with a
// repeated name get `_1`, `_2`, …; addresses are unsigned integers, points in time are
// microseconds in UTC, text has 64-bit offsets. The stream does not need the result any more.
// Returns false on an error.
bool dumpql_result_stream(const struct dumpql_result *result,
                          struct ArrowArrayStream *out,
                          struct dumpql_error **error);

// The rows as one array of structures of the Arrow C data interface, with its schema. The caller
// releases both; otherwise as `dumpql_result_stream`. Returns false on an error.
bool dumpql_result_array(const struct dumpql_result *result,
                         struct ArrowSchema *schema,
                         struct ArrowArray *array,
                         struct dumpql_error **error);

// Adds a table of the rows of an Arrow stream, which are copied. It replaces a table that was added
// with that name before. The stream is moved: the library releases it, and `stream` is marked released,
// also on an error. Returns false on an error.
//
// Integers, floating-point numbers, booleans, text, dates, timestamps, durations and dictionaries of
// them are taken; unsigned integers of 64 bits become addresses.
//
// Errors: E0210 if a column has another type or two have one name; E0301 with the stream's own text if
// the stream fails; E0302 if a point in time is out of range.
bool dumpql_attach_stream(const struct dumpql_session *session,
                          const char *name,
                          struct ArrowArrayStream *stream,
                          struct dumpql_error **error);

// Adds a table whose rows the program makes for each query: `scan` is called with `user` for each
// scan. `doc` is the description in `SHOW TABLES` and `meta.tables`. The schema, a structure of
// the columns, is moved: the library releases it, also on an error. `free_user`, which may be
// NULL, is called with `user` once `scan` cannot be called any more: when the session and its
// statements and results were freed, or at once if the table cannot be added. Returns false on an
// error.
//
// Errors: E0210 if a table has that name, a column has a type that `dumpql_attach_stream` does not
// take, or two columns have one name.
bool dumpql_add_table(const struct dumpql_session *session,
                      const char *name,
                      const char *doc,
                      struct ArrowSchema *schema,
                      dumpql_scan_callback scan,
                      void *user,
                      dumpql_free_callback free_user,
                      struct dumpql_error **error);

// The code of the first error, such as `E0201`. Codes never change their meaning; the codes `E…` are
// those of docs/generated/errors.md, `C0001` is a NULL argument and `C0002` text that is not UTF-8.
// The text belongs to the error.
const char *dumpql_error_code(const struct dumpql_error *error);

// What is wrong, in one line. The text belongs to the error.
const char *dumpql_error_message(const struct dumpql_error *error);

// The position of the error in the query: the first byte, and the byte after the last. Returns
// false, and sets nothing, if the error is not about the query's text. `start` and `end` may be
// NULL.
bool dumpql_error_span(const struct dumpql_error *error, uint32_t *start, uint32_t *end);

// A line of help, such as a correction, similar names or the existing names. NULL once `index` is
// beyond the last line. The text belongs to the error.
const char *dumpql_error_help(const struct dumpql_error *error, size_t index);

// All errors of the query as text of several lines, with carets under the query. The text belongs to
// the error.
const char *dumpql_error_render(const struct dumpql_error *error);

// All errors of the query as JSON objects, one per line. The text belongs to the error.
const char *dumpql_error_json(const struct dumpql_error *error);

// Frees an error.
void dumpql_error_free(struct dumpql_error *error);

// Options with their defaults: no symbols, no cache, no file access by queries, no deadline. Free
// them with `dumpql_options_free`.
struct dumpql_options *dumpql_options_new(void);

// Adds a folder or a file of symbols or layouts, or a symbol path in the syntax of Windows
// debuggers (`srv*cache*url`), whose servers are asked. Returns false if `path` is NULL or not
// UTF-8.
bool dumpql_options_add_symbols(struct dumpql_options *options, const char *path);

// Sets whether no symbol server is asked.
void dumpql_options_set_offline(struct dumpql_options *options, bool offline);

// Sets a file in the format of `pooltag.txt`, which has priority over the built-in list. Returns
// false if `file` is NULL or not UTF-8.
bool dumpql_options_set_pool_tags(struct dumpql_options *options, const char *file);

// Sets a folder for indexes of dumps, so that a search runs only once. Without it nothing is
// cached. Returns false if `folder` is NULL or not UTF-8.
bool dumpql_options_set_cache(struct dumpql_options *options, const char *folder);

// Sets whether a value that cannot be read is an error (E0305).
void dumpql_options_set_strict(struct dumpql_options *options, bool strict);

// Sets how many bytes the rows and values of a query may take; a query that would exceed the
// limit fails with E0307. The default is 224 MiB.
void dumpql_options_set_memory(struct dumpql_options *options, size_t bytes);

// Sets whether queries may open and write files by their path (`ATTACH`, `FROM 'file.csv'`,
// `COPY`). By default they may not, because a program may run the queries of others.
void dumpql_options_set_files(struct dumpql_options *options, bool allowed);

// Sets whether a path may be the URL of a dump on an HTTP server that gives ranges: one that
// `dumpql_open` is given, and one that a query attaches. Only what queries need is read. By default
// no URL is opened, because a program may pass on names that others chose.
void dumpql_options_set_urls(struct dumpql_options *options, bool allowed);

// Sets how long a query may take, unless its statement sets another limit; then it fails with
// E0308. 0 means no limit.
void dumpql_options_set_timeout(struct dumpql_options *options, uint64_t milliseconds);

// Frees options.
void dumpql_options_free(struct dumpql_options *options);

// Writes a result as a file: `csv`, `excel` (CSV for Excel), `tsv`, `json`, `jsonl`, `md`, `html`,
// `xlsx`, `parquet`, `svg` or `png`. With `format` NULL the ending of the path decides. The file is complete
// or as it was. Returns false on an error.
//
// Errors: E0209 if there is no such format; E0402 if the file cannot be written, or is an open
// dump.
bool dumpql_result_write(const struct dumpql_result *result,
                         const char *path,
                         const char *format,
                         struct dumpql_error **error);

// A result as text in one of the formats `csv`, `excel`, `tsv`, `json`, `jsonl`, `md`, `html` and
// `svg`. A NUL in the text is replaced by its symbol. Free it with `dumpql_string_free`.
//
// Errors: E0209 if there is no such text format.
char *dumpql_result_format(const struct dumpql_result *result,
                           const char *format,
                           struct dumpql_error **error);

// The number of rows.
size_t dumpql_result_rows(const struct dumpql_result *result);

// The number of columns.
size_t dumpql_result_columns(const struct dumpql_result *result);

// The name of a column as selected, which need not be unique; NULL if `column` is beyond the last
// one. The text belongs to the result.
const char *dumpql_result_column_name(const struct dumpql_result *result, size_t column);

// The type of a column; `DUMPQL_TYPE_NULL` beyond the last one.
enum dumpql_type dumpql_result_column_type(const struct dumpql_result *result, size_t column);

// The name of a column's type as SQL writes it, such as `ADDRESS`; NULL beyond the last column. The
// text belongs to the result.
const char *dumpql_result_column_type_name(const struct dumpql_result *result, size_t column);

// One value; NULL (`DUMPQL_TYPE_NULL`) beyond the last row or column. Returns false, and sets
// nothing, if an argument is NULL. For the reason of an absent value, select `why(column)`; for
// the reasons in a whole column, see `dumpql_result_footnote`.
bool dumpql_result_cell(const struct dumpql_result *result,
                        size_t row,
                        size_t column,
                        struct dumpql_cell *cell);

// One value as text, in the form of every output: addresses in hexadecimal at the dump's pointer
// width, times in UTC; empty for NULL and beyond the last row or column. A NUL in the text is
// replaced by its symbol. Free it with `dumpql_string_free`.
char *dumpql_result_render(const struct dumpql_result *result, size_t row, size_t column);

// Values that are absent in the tables of the query, with the reason; values that do not apply to
// a row are not counted. Returns false, and sets nothing, once `index` is beyond the last one.
bool dumpql_result_footnote(const struct dumpql_result *result,
                            size_t index,
                            struct dumpql_footnote *footnote);

// Frees a result. Arrow data that was exported from it stays valid.
void dumpql_result_free(struct dumpql_result *result);

// The version of the library. The text is always valid.
const char *dumpql_version(void);

// Opens `count` dumps or debugger logs, by their paths, or by their URLs if the options allow that
// (`dumpql_options_set_urls`); every table then covers all of them. With `count` 0 there are only the
// tables that the program adds. `options` may be NULL. Free the session with `dumpql_session_free`.
//
// Errors: E0401 if a file is not a readable dump, E0402 if it cannot be opened, E0403 if symbols
// of the options cannot be read, E0209 for a URL that the options do not allow.
struct dumpql_session *dumpql_open(const char *const *paths,
                                   size_t count,
                                   const struct dumpql_options *options,
                                   struct dumpql_error **error);

// Opens a dump whose `length` bytes are in memory; they are copied. `name` is its name in messages
// and in the column `dump`. `options` may be NULL. Free the session with `dumpql_session_free`.
//
// Errors: E0401 if the bytes are not a readable dump, E0403 as with `dumpql_open`.
struct dumpql_session *dumpql_open_memory(const char *name,
                                          const uint8_t *bytes,
                                          size_t length,
                                          const struct dumpql_options *options,
                                          struct dumpql_error **error);

// Opens the sample, a dump of a hung server that is built in memory. `options` may be NULL. Free the
// session with `dumpql_session_free`.
struct dumpql_session *dumpql_open_sample(const struct dumpql_options *options,
                                          struct dumpql_error **error);

// The bytes of the sample, as `dumpql_open_memory` takes them. They belong to the library and are
// always valid. `length` must not be NULL.
const uint8_t *dumpql_sample_bytes(size_t *length);

// Runs a query and waits for it; of a script, the last result is returned. Free the result with
// `dumpql_result_free`. Several threads may run queries on one session at the same time.
//
// Errors: any error in the query, with its position; E0308 at the deadline of the options.
struct dumpql_result *dumpql_query(const struct dumpql_session *session,
                                   const char *sql,
                                   struct dumpql_error **error);

// The name of an open dump, as the column `dump` shows it; NULL once `index` is beyond the last one.
// Free it with `dumpql_string_free`.
char *dumpql_session_source(const struct dumpql_session *session,
                            size_t index);

// Whether the path is the file of an open dump, by the file's identity. A program must not write
// there.
bool dumpql_session_is_open(const struct dumpql_session *session, const char *path);

// Frees a session. Its statements and results stay valid.
void dumpql_session_free(struct dumpql_session *session);

// Frees a text that a function returned as `char *`.
void dumpql_string_free(char *text);

// Parses a query or a script. The functions `dumpql_bind_…` set its parameters `$name`. Free the
// statement with `dumpql_statement_free`.
//
// Errors: syntax errors. Names and types are checked when it runs.
struct dumpql_statement *dumpql_prepare(const struct dumpql_session *session,
                                        const char *sql,
                                        struct dumpql_error **error);

// Looks up a query of the shipped library by its name (`irp-distribution`), or by the debugger
// command that it replaces (`!irpfind`, `k 10`). Parameters without a value have their defaults.
// Free the statement with `dumpql_statement_free`.
//
// Errors: E0201 with similar names.
struct dumpql_statement *dumpql_prepare_saved(const struct dumpql_session *session,
                                              const char *name,
                                              struct dumpql_error **error);

// Sets the parameter `$name` to NULL; `name` has no `$`. Like the other functions `dumpql_bind_…`,
// it replaces an earlier value, and returns false if an argument is NULL or not UTF-8.
bool dumpql_bind_null(struct dumpql_statement *statement,
                      const char *name);

// Sets the parameter `$name` to a Boolean.
bool dumpql_bind_bool(struct dumpql_statement *statement, const char *name, bool value);

// Sets the parameter `$name` to an integer.
bool dumpql_bind_integer(struct dumpql_statement *statement, const char *name, int64_t value);

// Sets the parameter `$name` to a floating-point number.
bool dumpql_bind_double(struct dumpql_statement *statement, const char *name, double value);

// Sets the parameter `$name` to a text, which is copied.
bool dumpql_bind_text(struct dumpql_statement *statement, const char *name, const char *value);

// Sets the parameter `$name` to an address.
bool dumpql_bind_address(struct dumpql_statement *statement, const char *name, uint64_t value);

// Sets the parameter `$name` to a point in time, in microseconds since 1970-01-01 UTC.
bool dumpql_bind_timestamp(struct dumpql_statement *statement,
                           const char *name,
                           int64_t microseconds);

// Sets the parameter `$name` to a duration in microseconds.
bool dumpql_bind_interval(struct dumpql_statement *statement,
                          const char *name,
                          int64_t microseconds);

// Sets how long a run may take, instead of the limit of the options; then it fails with E0308. 0
// means no limit.
void dumpql_statement_set_timeout(struct dumpql_statement *statement, uint64_t milliseconds);

// Sets how many bytes rows and values may take, instead of the limit of the options
// (E0307).
void dumpql_statement_set_memory(struct dumpql_statement *statement, size_t bytes);

// Sets whether a value that cannot be read is an error (E0305), instead of the setting of the
// options.
void dumpql_statement_set_strict(struct dumpql_statement *statement, bool strict);

// Adds a token that cancels the statement's runs from another thread. With several tokens, any of
// them does. Returns false if an argument is NULL.
bool dumpql_statement_add_token(struct dumpql_statement *statement,
                                const struct dumpql_cancel_token *token);

// Sets a callback that reports the progress of a run. `user` is passed to the callback and must be
// valid while the statement runs. A NULL callback turns the reports off.
void dumpql_statement_set_progress(struct dumpql_statement *statement,
                                   dumpql_progress_callback callback,
                                   void *user);

// Runs a statement and waits for it; of a script, the last result is returned. A script that only
// makes changes (`ATTACH`, `CREATE`, `SET`) returns a result without columns. Free the result with
// `dumpql_result_free`.
//
// Errors: any error in the query, with its position; E0306 if a token was cancelled or the
// progress callback returned false, E0307 and E0308 for limits.
struct dumpql_result *dumpql_statement_run(struct dumpql_statement *statement,
                                           struct dumpql_error **error);

// Frees a statement.
void dumpql_statement_free(struct dumpql_statement *statement);

// Runs the statements of a script, and passes each result to the callback as soon as it is ready.
// The result belongs to the callback, which frees it with `dumpql_result_free` and returns whether
// to continue. Returns false if the script failed; results that were passed on stay valid.
//
// Errors: as `dumpql_statement_run`.
bool dumpql_query_each(const struct dumpql_session *session,
                       const char *sql,
                       bool (*callback)(void *user, struct dumpql_result *result),
                       void *user,
                       struct dumpql_error **error);

// A token that is not cancelled. Free it with `dumpql_cancel_token_free`.
struct dumpql_cancel_token *dumpql_cancel_token_new(void);

// Cancels the queries that have the token: running ones end soon with E0306, later ones at once.
// Any thread may call it at any time, except from a signal handler, because it takes a lock.
void dumpql_cancel_token_cancel(const struct dumpql_cancel_token *token);

// Whether the token was cancelled.
bool dumpql_cancel_token_is_cancelled(const struct dumpql_cancel_token *token);

// Frees a token.
void dumpql_cancel_token_free(struct dumpql_cancel_token *token);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* DUMPQL_H */
