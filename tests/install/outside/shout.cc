// A worker of its own.
#include <iostream>

#include "absl/strings/ascii.h"
#include "drover/worker/worker.h"

int main(int argc, char** argv) {
  drover::worker::Worker worker(argc, argv);
  worker.Handle("shout",
                [](drover::worker::Task& task) -> absl::StatusOr<std::string> { return absl::AsciiStrToUpper(task.input()); });
  const absl::Status status = worker.Run({.coord = {argv[1]}, .name = "outside"});
  std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
