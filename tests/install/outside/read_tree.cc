// read-tree COORD PATH DATA: writes a node, reads it back with its version, and removes it.
#include <chrono>
#include <iostream>

#include "drover/coord/blocking.h"
#include "drover/coord/status.h"

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  drover::coord::BlockingOptions options;
  options.session.endpoints = {argv[1]};
  auto client = drover::coord::BlockingClient::Connect(options);
  if (!client.ok()) return std::cerr << client.status() << "\n", 1;
  const std::string path = argv[2];
  auto created = (*client)->Create(path, argv[3]);
  if (!created.ok()) return std::cerr << created.status() << "\n", 1;
  auto got = (*client)->Get(path);
  if (!got.ok()) return std::cerr << got.status() << "\n", 1;
  std::cout << got->node.data << " at version " << got->node.stat.version << "\n";
  auto deleted = (*client)->Delete(path, got->node.stat.version);
  if (!deleted.ok()) return std::cerr << deleted.status() << "\n", 1;
  const absl::Status closed = (*client)->Close();
  return closed.ok() ? 0 : (std::cerr << closed << "\n", 1);
}
