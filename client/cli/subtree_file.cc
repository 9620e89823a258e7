#include "client/cli/subtree_file.h"

#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/acl_text.h"
#include "client/cli/output.h"
#include "client/cli/stat_text.h"
#include "coord/base/status.h"

namespace drover::cli {
namespace {

constexpr char kFormat[] = "drover-subtree";
constexpr int kVersion = 1;
constexpr std::size_t kNodeBytesMax = std::size_t{1} << 20;
constexpr std::int64_t kTtlMsMax = (std::int64_t{1} << 48) - 1;

Json NodeJson(const SubtreeNode& node) {
  Json json = {{"path", node.path}};
  AddData(node.data, &json);
  if (!node.acl.empty()) json["acl"] = AclJson(node.acl);
  if (node.container) json["container"] = true;
  if (node.ttl.count() != 0) json["ttl_ms"] = base::ToMillis(node.ttl);
  return json;
}

absl::Status Wrong(absl::string_view what) {
  return absl::InvalidArgumentError(what);
}

absl::StatusOr<std::string> DataOf(const Json& json) {
  const auto base64 = json.find("data_base64");
  const auto text = json.find("data");
  const bool has_text = text != json.end() && !text->is_null();
  if (base64 == json.end()) {
    if (text == json.end()) return std::string();
    if (!text->is_string()) return Wrong("\"data\" is no text, and there is no \"data_base64\"");
    return text->get<std::string>();
  }
  std::string data;
  if (has_text || !base64->is_string() || !absl::Base64Unescape(base64->get<std::string>(), &data)) {
    return Wrong(has_text ? "there is \"data\" and \"data_base64\"" : "\"data_base64\" is no base64");
  }
  return data;
}

absl::Status CheckPath(const std::string& path) {
  if (path.empty()) return absl::OkStatus();
  for (const absl::string_view name : absl::StrSplit(path, '/')) {
    if (name.empty()) return Wrong("a path is relative, without empty names");
    if (name == "." || name == "..") return Wrong("\".\" and \"..\" are no names in a path");
  }
  return absl::OkStatus();
}

absl::StatusOr<SubtreeNode> NodeOf(const Json& json) {
  SubtreeNode node;
  node.path = json.at("path").get<std::string>();
  DROVER_RETURN_IF_ERROR(CheckPath(node.path));
  for (const auto& field : json.items()) {
    static const std::set<std::string> kKnown = {"path", "data", "data_base64", "acl", "container", "ttl_ms"};
    if (kKnown.count(field.key()) == 0) return Wrong(absl::StrCat("there is no field \"", field.key(), "\""));
  }
  DROVER_ASSIGN_OR_RETURN(node.data, DataOf(json));
  if (node.data.size() > kNodeBytesMax) return Wrong("the data of a node has at most 1 MiB");
  if (const auto acl = json.find("acl"); acl != json.end()) {
    DROVER_ASSIGN_OR_RETURN(node.acl, AclOfJson(*acl));
    node.acl = PlainAcl(std::move(node.acl));
  }
  node.container = json.value("container", false);
  const std::int64_t ttl_ms = json.value("ttl_ms", std::int64_t{0});
  if (ttl_ms < 0 || ttl_ms > kTtlMsMax) return Wrong("\"ttl_ms\" is out of range");
  if (ttl_ms != 0 && node.container) return Wrong("a node is a container or has a ttl, not both");
  node.ttl = std::chrono::milliseconds(ttl_ms);
  return node;
}

// The JSON library throws; nothing of that leaves this file.
absl::StatusOr<SubtreeFile> Decode(const Json& json) {
  if (!json.is_object() || json.value("format", "") != kFormat) return Wrong("this is no file of drover tree export");
  if (const int version = json.value("version", 0); version != kVersion) {
    return Wrong(absl::StrCat("it has version ", version, "; this program knows version ", kVersion));
  }
  SubtreeFile file;
  file.path = json.value("path", "");
  file.zxid = coord::Zxid(json.value("zxid", std::uint64_t{0}));
  file.one_state = json.value("one_state", true);
  file.ephemerals_left_out = json.value("ephemerals_left_out", std::uint64_t{0});
  std::set<std::string> seen;
  std::size_t bytes = 0;
  for (const Json& one : json.at("nodes")) {
    const std::string where = one.is_object() && one.contains("path") && one["path"].is_string()
                                  ? absl::StrCat("node \"", one["path"].get<std::string>(), "\"")
                                  : absl::StrCat("node ", file.nodes.size() + 1);
    absl::StatusOr<SubtreeNode> node;
    try {
      node = NodeOf(one);
    } catch (const Json::exception& wrong) {
      node = Wrong(wrong.what());
    }
    if (!node.ok()) return base::Annotate(node.status(), where);
    if (file.nodes.empty() != node->path.empty()) {
      return Wrong(absl::StrCat(
          where, file.nodes.empty() ? ": the first node is the root, with the path \"\"" : ": the root is there twice"));
    }
    const std::size_t slash = node->path.rfind('/');
    if (!node->path.empty() && seen.count(slash == std::string::npos ? "" : node->path.substr(0, slash)) == 0) {
      return Wrong(absl::StrCat(where, ": its parent is not before it"));
    }
    if (!seen.insert(node->path).second) return Wrong(absl::StrCat(where, ": it is there twice"));
    bytes += node->data.size();
    file.nodes.push_back(*std::move(node));
    if (file.nodes.size() > kSubtreeNodesMax || bytes > kSubtreeDataBytesMax) {
      return Wrong(absl::StrCat("it has more than ", kSubtreeNodesMax, " nodes or ", kSubtreeDataBytesMax >> 20, " MiB of data"));
    }
  }
  if (file.nodes.empty()) return Wrong("there are no nodes in it");
  return file;
}

}  // namespace

std::string EncodeSubtree(const SubtreeFile& file) {
  const Json head = {{"format", kFormat},       {"version", kVersion},         {"path", file.path},
                     {"zxid", file.zxid.value}, {"one_state", file.one_state}, {"ephemerals_left_out", file.ephemerals_left_out}};
  std::string text = Dump(head);
  text.back() = ',';  // its closing brace
  absl::StrAppend(&text, "\"nodes\":[");
  for (const SubtreeNode& node : file.nodes)
    absl::StrAppend(&text, &node == &file.nodes.front() ? "\n" : ",\n", Dump(NodeJson(node)));
  absl::StrAppend(&text, "]}\n");
  return text;
}

absl::StatusOr<SubtreeFile> DecodeSubtree(absl::string_view text) {
  try {
    return Decode(Json::parse(text.begin(), text.end()));
  } catch (const Json::exception& wrong) {
    return Wrong(wrong.what());
  }
}

std::string PathBelow(absl::string_view root, absl::string_view relative) {
  if (relative.empty()) return std::string(root);
  return absl::StrCat(root == "/" ? "" : root, "/", relative);
}

std::string RelativePath(absl::string_view root, absl::string_view path) {
  if (path.size() <= root.size()) return "";
  return std::string(path.substr(root == "/" ? 1 : root.size() + 1));
}

coord::Acl PlainAcl(coord::Acl acl) {
  if (acl == coord::Acl{coord::AclEntry::World()}) acl.clear();
  return acl;
}

}  // namespace drover::cli
