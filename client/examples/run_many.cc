// Runs one command for each argument, all at the same time, and prints what each wrote, in order:
//
//   drover-example-run-many 127.0.0.1:7400 one two three
//
// This is what a program that uses Drover looks like: make a client, submit, wait, read.
#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include "drover/client/task_client.h"

namespace {

int Fail(const absl::Status& status) {
  std::cerr << status << "\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: " << argv[0] << " COORD_HOST:PORT WORD...\n";
    return 2;
  }
  auto client = drover::client::TaskClient::Create({.coord = {argv[1]}});
  if (!client.ok()) return Fail(client.status());

  std::vector<drover::client::TaskSpec> specs;
  for (int i = 2; i < argc; ++i) {
    specs.push_back({.argv = {"sh", "-c", "echo \"$WORD from $DROVER_WORKER\""}, .env = {{"WORD", argv[i]}}, .name = "example"});
  }
  auto submitted = (*client)->SubmitAll(&specs);
  if (!submitted.ok()) return Fail(submitted.status());
  std::vector<std::string> ids;
  for (const auto& result : *submitted) {
    if (result.outcome != drover::client::SubmitOutcome::kAccepted) {
      std::cerr << result.id << " was refused: " << result.sentence << "\n";
      return 1;
    }
    ids.push_back(result.id);
  }

  auto tasks = (*client)->Wait(ids, std::chrono::minutes(5));
  if (!tasks.ok()) return Fail(tasks.status());
  for (const auto& task : *tasks) {
    if (task.state != drover::client::State::kSucceeded) {
      std::cerr << task.id << " ended " << drover::client::StateName(task.state) << ": " << task.sentence << "\n";
      return 1;
    }
    absl::Status read = (*client)->ReadOutput({.id = task.id}, [](absl::string_view data) {
      std::cout << data;
      return true;
    });
    if (!read.ok()) return Fail(read);
  }
  return 0;
}
