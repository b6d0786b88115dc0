/*
 * Three ways to end a query: a token from another thread, the progress callback, and a deadline.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "dumpql.h"

/* Compares ten thousand million pairs of rows. */
static const char *const ENDLESS =
    "SELECT count(*) FROM range(100000) a JOIN range(100000) b ON a.range * b.range = -1";

static atomic_bool is_running;

/* Cancels the token once the query runs. */
static void *cancel(void *token)
{
    while (!atomic_load(&is_running)) {
    }
    dumpql_cancel_token_cancel(token);
    return NULL;
}

static bool go_on(void *user, uint64_t rows, uint64_t searched, uint64_t all)
{
    (void)user, (void)rows, (void)searched, (void)all;
    atomic_store(&is_running, true);
    return true;
}

/* Ends the query at the third progress report. */
static bool third_time(void *user, uint64_t rows, uint64_t searched, uint64_t all)
{
    (void)rows, (void)searched, (void)all;
    int *calls = user;
    return ++*calls < 3;
}

static void run(dumpql_statement *statement, const char *what)
{
    dumpql_error *error = NULL;
    dumpql_result *result = dumpql_statement_run(statement, &error);
    printf("%s: %s\n", what, result == NULL ? dumpql_error_code(error) : "a result");
    dumpql_error_free(error);
    dumpql_result_free(result);
    dumpql_statement_free(statement);
}

int main(void)
{
    dumpql_session *session = dumpql_open(NULL, 0, NULL, NULL);

    dumpql_cancel_token *token = dumpql_cancel_token_new();
    dumpql_statement *statement = dumpql_prepare(session, ENDLESS, NULL);
    dumpql_statement_add_token(statement, token);
    dumpql_statement_set_progress(statement, go_on, NULL);
    pthread_t thread;
    if (pthread_create(&thread, NULL, cancel, token) != 0) {
        return 1;
    }
    run(statement, "token");
    pthread_join(thread, NULL);
    dumpql_cancel_token_free(token);

    int calls = 0;
    statement = dumpql_prepare(session, ENDLESS, NULL);
    dumpql_statement_set_progress(statement, third_time, &calls);
    run(statement, "progress");
    printf("told %s\n", calls >= 3 ? "several times" : "too seldom");

    statement = dumpql_prepare(session, ENDLESS, NULL);
    dumpql_statement_set_timeout(statement, 50);
    run(statement, "deadline");

    dumpql_session_free(session);
    return 0;
}
