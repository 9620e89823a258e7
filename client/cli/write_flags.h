// The writes of the tree as a command line has them: `drover tree create|set|delete|acl set`, and the lines of a transaction.
#ifndef DROVER_CLIENT_CLI_WRITE_FLAGS_H_
#define DROVER_CLIENT_CLI_WRITE_FLAGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "coord/base/time.h"
#include "coord/process/options.h"
#include "drover/coord/types.h"

namespace drover::cli {

// A version as an option gives it.
struct VersionFlag {
  std::int64_t version = -1;  // any

  void AddTo(process::OptionSet* options, const std::string& help);
  [[nodiscard]] std::optional<std::uint32_t> Value() const;
};

// DATA of a node: an argument, or what follows --.
struct DataArgument {
  std::string data;
  std::vector<std::string> rest;

  void AddTo(process::OptionSet* options, const std::string& help);
  [[nodiscard]] bool standard_input() const { return rest.empty() && data == "-"; }
  // What was typed; INVALID_ARGUMENT if it was typed twice.
  [[nodiscard]] absl::StatusOr<std::string> Typed() const;
};

struct CreateFlags {
  std::string path;
  DataArgument data;
  bool ephemeral = false;
  bool sequential = false;
  bool parents = false;
  bool container = false;
  bool if_absent = false;
  base::Duration ttl{0};
  std::string acl;

  void AddTo(process::OptionSet* options, const std::string& data_help, const std::string& ephemeral_help);
  // INVALID_ARGUMENT: the list is none.
  [[nodiscard]] absl::StatusOr<coord::CreateOptions> Options() const;
};

struct SetFlags {
  std::string path;
  DataArgument data;
  VersionFlag version;

  void AddTo(process::OptionSet* options, const std::string& data_help);
};

struct DeleteFlags {
  std::string path;
  VersionFlag version;
  bool recursive = false;

  void AddTo(process::OptionSet* options);
};

struct SetAclFlags {
  std::string path;
  std::string acl;
  VersionFlag version;

  void AddTo(process::OptionSet* options);
};

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_WRITE_FLAGS_H_
