// Queries from C++20, with the classes of dumpql.hpp.

#include <iostream>
#include <thread>
#include <vector>

#include "dumpql.hpp"

int main()
{
    const auto session = dumpql::Session::sample();

    const auto result = session.prepare("SELECT name FROM modules WHERE size_bytes > $least "
                                        "ORDER BY size_bytes DESC LIMIT 2")
                            .bind("least", std::int64_t{4096})
                            .run();
    for (const auto row : result.rows()) {
        std::cout << result.text(row, 0) << '\n';
    }

    const auto oldest = session.saved("oldest-modules").bind("top", std::int64_t{3}).run();
    std::cout << oldest.size() << " oldest modules\n";

    // Threads share a session, and each has its own result.
    std::vector<std::jthread> threads;
    std::vector<std::size_t> counts(4);
    for (std::size_t index = 0; index < counts.size(); index++) {
        threads.emplace_back(
            [&, index] { counts[index] = session.query("SELECT tid FROM threads").size(); });
    }
    threads.clear();
    for (const auto count : counts) {
        std::cout << (count > 0 && count == counts.front() ? "equal" : "different") << '\n';
    }

    try {
        static_cast<void>(session.query("SELECT nmae FROM modules"));
    } catch (const dumpql::Error &error) {
        std::cout << error.code() << '\n' << error.what() << '\n';
    }
}
