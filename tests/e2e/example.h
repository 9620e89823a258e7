// What the tests of the examples share: a core, an example's servers as processes, clients that go on through everything, and a
// judge of what the examples' store has let through.
#ifndef DROVER_TESTS_E2E_EXAMPLE_H_
#define DROVER_TESTS_E2E_EXAMPLE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "client/examples/store/fenced_store.h"
#include "tests/e2e/e2e.h"
#include "tests/support/page.h"

namespace drover::testing {

// Of a command that shall fail in the end: time to connect, and not much more.
inline constexpr char kPatience[] = "5s";

// Clients, each with a thread of its own, that send 0, 1, 2 ... and each one until it is acknowledged.
class Workload {
 public:
  // `send` says whether it was acknowledged; it is called again with the same number until it was.
  using Send = std::function<bool(std::size_t client, int number)>;
  Workload(std::size_t clients, Send send) : send_(std::move(send)), done_(clients) {
    for (std::size_t i = 0; i < clients; ++i) threads_.emplace_back([this, i] { Run(i); });
  }
  ~Workload() { Finish(); }

  // Each client gets so many more acknowledged.
  bool AwaitMore(int more) {
    std::vector<int> aim;
    for (const std::atomic<int>& done : done_) aim.push_back(done + more);
    return Await([&] {
      for (std::size_t i = 0; i < aim.size(); ++i) {
        if (done_[i] < aim[i]) return false;
      }
      return true;
    });
  }
  // How many each has got acknowledged; none is under way any more.
  std::vector<int> Finish() {
    stop_ = true;
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
    return {done_.begin(), done_.end()};
  }

 private:
  void Run(std::size_t client) {
    while (!stop_) {
      const int number = done_[client];
      if (send_(client, number)) {
        ++done_[client];
      } else {
        ADD_FAILURE() << "client " << client << " got no answer in time to " << number;
        return;
      }
    }
  }

  const Send send_;
  std::vector<std::atomic<int>> done_;
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

class ExampleTest : public ::testing::Test {
 protected:
  explicit ExampleTest(std::string program) : program_(std::move(program)) {}

  // A client's command, from any thread.
  CommandResult Example(std::vector<std::string> args, const std::string& input = "") const {
    args.insert(args.begin(), Binary(program_));
    CommandOptions options;
    options.env["DROVER_COORD"] = cluster_.coord_addresses();
    options.input = input;
    return RunCommand(args, options);
  }
  // A server: the command with `--name NAME`, and a session that is short, as tests wait for it to expire.
  Process& StartMember(const std::string& name, std::vector<std::string> args, const char* session = "1s") {
    for (const char* word : {"--name", name.c_str(), "--session-timeout", session}) args.emplace_back(word);
    return StartCommand(name, args);
  }
  // Any other command that goes on for a while; what it reads from its standard input begins anew when it is started anew.
  Process& StartCommand(const std::string& name, const std::vector<std::string>& args, const std::string& input = "") {
    WriteFile(cluster_.path(name + ".in"), input);
    std::vector<std::string> argv = {"sh", "-c", "exec \"$@\" <" + cluster_.path(name + ".in"), "sh", Binary(program_)};
    argv.insert(argv.end(), args.begin(), args.end());
    auto process = std::make_unique<Process>(argv, std::map<std::string, std::string>{{"DROVER_COORD", cluster_.coord_addresses()}},
                                             cluster_.path(name + ".log"));
    process->Start();
    return *(members_[name] = std::move(process));
  }
  Process& member(const std::string& name) { return *members_.at(name); }

  std::set<std::string> Names(const std::string& path) {
    const CommandResult listed = cluster_.Drover({"tree", "ls", path});
    std::set<std::string> names;
    if (listed.exit_code != 0) return names;
    for (const std::string& line : Lines(listed.out)) names.insert(line);
    return names;
  }

  void ExpectFailure(const std::vector<std::string>& args, int code, const std::string& words) {
    const CommandResult result = Example(args);
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_THAT(result.err, ::testing::HasSubstr(words));
    EXPECT_EQ(Lines(result.err).size(), 1u) << result.err;
  }
  // A core where nobody listens is said with its address.
  void ExpectDeadCoreIsSaid(std::vector<std::string> args) {
    args.insert(args.end(), {"--coord", "127.0.0.1:1", "--timeout", "1s"});
    ExpectFailure(args, 1, "no session with the core at 127.0.0.1:1");
  }

  // First word of each line, and word `column` ("-" is none).
  static std::map<std::string, std::string> Table(const std::string& text, std::size_t column) {
    std::map<std::string, std::string> table;
    for (const std::string& line : Lines(text)) {
      std::istringstream in(line);
      std::vector<std::string> words;
      for (std::string word; in >> word;) words.push_back(word);
      if (words.size() > column) table[words[0]] = words[column] == "-" ? "" : words[column];
    }
    return table;
  }
  static bool Contains(const std::map<std::string, std::string>& table, const std::string& value) {
    return std::any_of(table.begin(), table.end(), [&](const auto& entry) { return entry.second == value; });
  }

  // What the store let through in this log: tokens never fell, and each was one server's.
  void JudgeHistory(const std::string& log) {
    const auto history = examples::FencedStore(store_dir()).History(log);
    ASSERT_TRUE(history.ok()) << history.status();
    EXPECT_FALSE(history->empty()) << log;
    std::uint64_t newest = 0;
    std::map<std::uint64_t, std::string> owners;
    std::set<std::string> ids;
    for (const examples::Record& record : *history) {
      EXPECT_GE(record.holder.token, newest) << log << ": " << record.holder.who << " after another one";
      newest = record.holder.token;
      EXPECT_EQ(owners.emplace(newest, record.holder.who).first->second, record.holder.who) << "two used the token " << newest;
      const bool anew = record.id.empty() || ids.insert(record.id).second;
      EXPECT_TRUE(anew) << log << ": stored twice: " << record.id;
    }
  }

  // The commands of an example's page: the first block begins a shell in a core (`drover dev ... bash`), the others are typed
  // there. What they print has `words` in it.
  static void RunPage(const std::string& example, const std::string& words = "") {
    const std::vector<std::string> blocks =
        ShellBlocks(ReadFile(std::string(DROVER_SOURCE_DIR) + "/client/examples/" + example + "/README.md"));
    ASSERT_GE(blocks.size(), 2u);
    TemporaryDirectory dir;
    std::filesystem::create_directory(dir / "build");
    std::filesystem::create_directory_symlink(Binary(""), dir / "build/bin");
    WriteFile(dir / "first.sh", "cd " + dir.path() + "\n" + blocks[0]);
    CommandOptions options;
    options.env["TMPDIR"] = dir.path();
    options.input = "set -e\ntrap 'code=$?; kill -9 $(jobs -p) 2> /dev/null || true; exit $code' EXIT\n";
    for (std::size_t i = 1; i < blocks.size(); ++i) options.input += blocks[i];
    options.input += "echo the page is over\n";
    // Whatever happens here, what the page has started ends.
    options.deadline_seconds = 300;
    const CommandResult result = RunCommand({"timeout", "--kill-after=10", "240", "bash", "-e", dir / "first.sh"}, options);
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    EXPECT_NE(result.out.find("the page is over"), std::string::npos) << result.out << result.err;
    EXPECT_THAT(result.out, ::testing::HasSubstr(words));
  }

  [[nodiscard]] const std::string& program() const { return program_; }
  Cluster& cluster() { return cluster_; }
  [[nodiscard]] std::string store_dir() const { return cluster_.path("store"); }

 private:
  const std::string program_;
  Cluster cluster_{CoreAlone()};
  std::map<std::string, std::unique_ptr<Process>> members_;  // end before the core
};

}  // namespace drover::testing

#endif  // DROVER_TESTS_E2E_EXAMPLE_H_
