#include "client/cli/write_flags.h"

#include "absl/strings/str_cat.h"
#include "client/cli/acl_text.h"

namespace drover::cli {
namespace {

constexpr char kPathHelp[] = "Path of a node, like /a/b";

}  // namespace

void VersionFlag::AddTo(process::OptionSet* options, const std::string& help) {
  options->Number("--version", &version, help, 0, std::int64_t{0xffff'fffe});
}
std::optional<std::uint32_t> VersionFlag::Value() const {
  if (version < 0) return std::nullopt;
  return static_cast<std::uint32_t>(version);
}

void DataArgument::AddTo(process::OptionSet* options, const std::string& help) {
  options->Argument("DATA", &data, help, /*required=*/false);
  options->Rest("DATA", &rest, "Data that begins with -", /*required=*/false);
}
absl::StatusOr<std::string> DataArgument::Typed() const {
  if (rest.empty()) return data;
  if (rest.size() > 1 || !data.empty()) return absl::InvalidArgumentError("the data of a node is one word; quote it");
  return rest.front();
}

void CreateFlags::AddTo(process::OptionSet* options, const std::string& data_help, const std::string& ephemeral_help) {
  options->Argument("PATH", &path, kPathHelp);
  data.AddTo(options, data_help);
  options->Flag("-e,--ephemeral", &ephemeral, ephemeral_help);
  options->Flag("-s,--sequential", &sequential, "Append a ten-digit number to the path");
  options->Flag("-p,--parents", &parents, "Also make missing parents");
  options->Flag("--container", &container, "Deleted by the service once it has had children and has none");
  options->Time("--ttl", &ttl, "Deleted by the service when it has no children and was not set for so long");
  options->Flag("--if-absent", &if_absent, "A node that is there already is no error and stays as it is");
  options->Text("--acl", &acl,
                "Who may do what with it, and with parents that are made: SCHEME:ID:PERMISSIONS,... as of drover tree acl set");
}
absl::StatusOr<coord::CreateOptions> CreateFlags::Options() const {
  coord::CreateOptions how;
  how.ephemeral = ephemeral;
  how.sequential = sequential;
  how.parents = parents;
  how.container = container;
  how.ttl = ttl;
  how.if_absent = if_absent;
  if (acl.empty()) return how;
  absl::StatusOr<coord::Acl> list = ParseAcl(acl);
  if (!list.ok()) return absl::InvalidArgumentError(absl::StrCat("--acl: ", list.status().message()));
  how.acl = *std::move(list);
  return how;
}

void SetFlags::AddTo(process::OptionSet* options, const std::string& data_help) {
  options->Argument("PATH", &path, kPathHelp);
  data.AddTo(options, data_help);
  version.AddTo(options, "Only if the node has this version");
}

void DeleteFlags::AddTo(process::OptionSet* options) {
  options->Argument("PATH", &path, kPathHelp);
  version.AddTo(options, "Only if the node has this version");
  options->Flag(
      "-r,--recursive", &recursive,
      "With all that is below it: in one transaction, or if these are more than 10,000 nodes in several, the node itself last");
}

void SetAclFlags::AddTo(process::OptionSet* options) {
  options->Argument("PATH", &path, kPathHelp);
  options->Argument(
      "ACL", &acl,
      "SCHEME:ID:PERMISSIONS,... with letters of cdrwa: world:anyone:r, digest:USER:HASH:cdrwa, ip:10.0.0.0/8:rw, auth::cdrwa");
  version.AddTo(options, "Only if the list has this version (aversion)");
}

}  // namespace drover::cli
