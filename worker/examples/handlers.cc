// A worker of one's own: it makes words loud, counts slowly, and fails when asked to.
//
//   drover-example-handlers 127.0.0.1:7400
//   drover submit --handler shout --input hello
//
// This is what a program that runs tasks in its own process looks like: see drover/worker/worker.h for what that means when it
// hangs.
#include <chrono>
#include <iostream>
#include <string>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "drover/worker/worker.h"

namespace {

using drover::worker::Task;

// To the number that is its input, ten steps a second; stops when it is told to.
absl::StatusOr<std::string> Count(Task& task) {
  int end = 0;
  if (!absl::SimpleAtoi(task.input(), &end)) return absl::InvalidArgumentError("the input is no number");
  for (int i = 1; i <= end; ++i) {
    if (task.stop().stop_requested()) return absl::CancelledError(absl::StrCat("stopped at ", i));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    task.Write(absl::StrCat(i, "\n"));
    task.SetProgress(100.0 * i / end, "counting");
  }
  return absl::StrCat("counted to ", end);
}

}  // namespace

int main(int argc, char** argv) {
  drover::worker::Worker worker(argc, argv);  // first thing in main
  if (argc < 2) {
    std::cerr << "usage: " << argv[0] << " COORD_HOST:PORT [NAME]\n";
    return 2;
  }
  worker.Handle("shout", [](Task& task) -> absl::StatusOr<std::string> { return absl::AsciiStrToUpper(task.input()); });
  worker.Handle("count", Count);
  worker.Handle("fail", [](Task& task) -> absl::StatusOr<std::string> { return absl::UnavailableError(task.input()); });
  worker.Handle("throw", [](Task& task) -> absl::StatusOr<std::string> { throw std::runtime_error(task.input()); });
  // What no handler may do: it hears of no wish to stop.
  worker.Handle("hang", [](Task&) -> absl::StatusOr<std::string> {
    std::this_thread::sleep_for(std::chrono::hours(1));
    return "";
  });
  drover::worker::WorkerOptions options;
  options.coord = {argv[1]};
  options.name = argc > 2 ? argv[2] : "example-handlers";
  options.slots = 4;
  options.grace = std::chrono::seconds(2);
  const absl::Status status = worker.Run(options);
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
