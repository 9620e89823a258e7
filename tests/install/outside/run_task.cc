// run-task COORD WORD: runs a task that echoes the word back, and prints what it wrote.
#include <chrono>
#include <iostream>

#include "drover/client/task_client.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  auto client = drover::client::TaskClient::Create({.coord = {argv[1]}});
  if (!client.ok()) return std::cerr << client.status() << "\n", 1;
  auto id = (*client)->Submit({.argv = {"cat"}, .stdin_data = argv[2], .name = "outside"});
  if (!id.ok()) return std::cerr << id.status() << "\n", 1;
  auto tasks = (*client)->Wait({*id}, std::chrono::minutes(1));
  if (!tasks.ok()) return std::cerr << tasks.status() << "\n", 1;
  if (tasks->front().state != drover::client::State::kSucceeded) return std::cerr << tasks->front().sentence << "\n", 1;
  const absl::Status read = (*client)->ReadOutput({.id = *id}, [](absl::string_view data) {
    std::cout << data;
    return true;
  });
  return read.ok() ? 0 : (std::cerr << read << "\n", 1);
}
