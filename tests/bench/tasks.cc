// How long work stands still when something is killed: measured with real processes, ten times each, median and worst.
//   take-over:     SIGKILL of the elected master -> a task submitted right then has started
//   reassignment:  SIGKILL of a worker -> its task has started elsewhere
// Usage: bench_tasks [RUNS]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "tests/support/await.h"
#include "tests/support/cluster.h"

namespace drover::testing {
namespace {

double Seconds(std::chrono::system_clock::time_point t) {
  return std::chrono::duration<double>(t.time_since_epoch()).count();
}

void Report(const char* what, std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  std::printf("%-14s %zu runs: median %.3f s, worst %.3f s, best %.3f s\n", what, seconds.size(), seconds[seconds.size() / 2],
              seconds.back(), seconds.front());
  std::fflush(stdout);
}

std::size_t Count(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

double TakeOver() {
  Cluster cluster;
  const int elected = cluster.AwaitElectedMaster();
  const double killed = Seconds(std::chrono::system_clock::now());
  cluster.master(elected).Kill();
  const CommandResult result = cluster.Drover({"run", "--", "date", "+%s.%N"});
  if (result.exit_code != 0) throw std::runtime_error(result.err);
  return std::stod(result.out) - killed;
}

double Reassignment() {
  Cluster cluster;
  const std::string starts = cluster.path("starts");
  const CommandResult submitted =
      cluster.Drover({"submit", "--", "sh", "-c", "echo $DROVER_WORKER $(date +%s.%N) >> " + starts + "; exec sleep 1000"});
  if (!Await([&] { return Count(ReadFile(starts)) == 1; })) throw std::runtime_error("not started: " + submitted.err);
  const std::string first = ReadFile(starts);
  const int worker = first[1] - '0';
  const double killed = Seconds(std::chrono::system_clock::now());
  cluster.worker(worker).Kill();
  if (!Await([&] { return Count(ReadFile(starts)) == 2; })) throw std::runtime_error("not started elsewhere");
  const std::string all = ReadFile(starts);
  return std::stod(all.substr(all.rfind(' ') + 1)) - killed;
}

}  // namespace
}  // namespace drover::testing

int main(int argc, char** argv) {
  const int runs = argc > 1 ? std::atoi(argv[1]) : 10;
  std::vector<double> take_over;
  std::vector<double> reassignment;
  for (int i = 0; i < runs; ++i) take_over.push_back(drover::testing::TakeOver());
  drover::testing::Report("take-over", take_over);
  for (int i = 0; i < runs; ++i) reassignment.push_back(drover::testing::Reassignment());
  drover::testing::Report("reassignment", reassignment);
  return 0;
}
