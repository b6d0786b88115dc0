// A small C++20 wrapper of dumpql.h: objects that free themselves, errors as exceptions, rows as a range.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "dumpql.h"

namespace dumpql {

template <auto Free> struct Freed {
    template <typename T> void operator()(T *object) const noexcept { Free(object); }
};
template <typename T, auto Free> using Owned = std::unique_ptr<T, Freed<Free>>;

class Error : public std::runtime_error {
public:
    explicit Error(Owned<dumpql_error, dumpql_error_free> error)
        : std::runtime_error(dumpql_error_render(error.get())), code_(dumpql_error_code(error.get()))
    {
    }
    [[nodiscard]] const std::string &code() const noexcept { return code_; }

private:
    std::string code_;
};

// Calls a function whose last argument is the error, and throws what it reports.
template <typename Function, typename... Arguments>
auto checked(Function function, Arguments... arguments)
{
    dumpql_error *error = nullptr;
    auto value = function(arguments..., &error);
    if (error != nullptr) {
        throw Error(Owned<dumpql_error, dumpql_error_free>(error));
    }
    return value;
}

class Result {
public:
    explicit Result(dumpql_result *result) : result_(result) {}

    [[nodiscard]] std::size_t size() const noexcept { return dumpql_result_rows(result_.get()); }

    [[nodiscard]] dumpql_cell cell(std::size_t row, std::size_t column) const noexcept
    {
        dumpql_cell cell{};
        dumpql_result_cell(result_.get(), row, column, &cell);
        return cell;
    }

    [[nodiscard]] std::string text(std::size_t row, std::size_t column) const
    {
        Owned<char, dumpql_string_free> text(dumpql_result_render(result_.get(), row, column));
        return text.get();
    }

    [[nodiscard]] auto rows() const { return std::views::iota(std::size_t{0}, size()); }

private:
    Owned<dumpql_result, dumpql_result_free> result_;
};

class Statement {
public:
    explicit Statement(dumpql_statement *statement) : statement_(statement) {}

    Statement &bind(const char *name, const char *value)
    {
        dumpql_bind_text(statement_.get(), name, value);
        return *this;
    }
    Statement &bind(const char *name, std::int64_t value)
    {
        dumpql_bind_integer(statement_.get(), name, value);
        return *this;
    }

    [[nodiscard]] Result run() { return Result(checked(dumpql_statement_run, statement_.get())); }

private:
    Owned<dumpql_statement, dumpql_statement_free> statement_;
};

class Session {
public:
    static Session sample() { return Session(checked(dumpql_open_sample, nullptr)); }

    static Session open(const char *path)
    {
        return Session(checked(dumpql_open, &path, std::size_t{1}, nullptr));
    }

    [[nodiscard]] Result query(const char *sql) const
    {
        return Result(checked(dumpql_query, session_.get(), sql));
    }
    [[nodiscard]] Statement prepare(const char *sql) const
    {
        return Statement(checked(dumpql_prepare, session_.get(), sql));
    }
    [[nodiscard]] Statement saved(const char *name) const
    {
        return Statement(checked(dumpql_prepare_saved, session_.get(), name));
    }

private:
    explicit Session(dumpql_session *session) : session_(session) {}
    Owned<dumpql_session, dumpql_session_free> session_;
};

} // namespace dumpql
