// The `drover` command.
#include <cstdlib>
#include <iostream>

#include "client/cli/app.h"

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  auto environment = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
  return drover::cli::Main(args, environment, std::cout, std::cerr);
}
