#include "client/cli/stat_text.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "client/cli/time_text.h"
#include "coord/process/options.h"

namespace drover::cli {
namespace {

const char* TypeName(coord::Event::Type type) {
  switch (type) {
    case coord::Event::Type::kCreated:
      return "CREATED";
    case coord::Event::Type::kChanged:
      return "CHANGED";
    case coord::Event::Type::kDeleted:
      return "DELETED";
  }
  return "UNKNOWN";
}

// Well-formed UTF-8, by the JSON library's own judgement.
bool IsText(const std::string& data) {
  try {
    (void)Json(data).dump();
    return true;
  } catch (const Json::exception&) {
    return false;
  }
}

}  // namespace

void AddData(const std::string& data, Json* json) {
  if (IsText(data)) {
    (*json)["data"] = data;
  } else {
    (*json)["data"] = nullptr;
    (*json)["data_base64"] = absl::Base64Escape(data);
  }
}

Json StatJson(const coord::Stat& s) {
  return Json{{"czxid", s.czxid.value},          {"mzxid", s.mzxid.value},          {"pzxid", s.pzxid.value},
              {"ctime", Rfc3339(s.ctime.value)}, {"mtime", Rfc3339(s.mtime.value)}, {"version", s.version},
              {"cversion", s.cversion},          {"aversion", s.aversion},          {"ephemeral_owner", s.ephemeral_owner.value},
              {"data_length", s.data_length},    {"num_children", s.num_children},  {"container", s.container},
              {"ttl_ms", base::ToMillis(s.ttl)}};
}

const std::vector<std::string>& StatNames() {
  static const std::vector<std::string> kNames = {"path",        "czxid",        "mzxid",     "pzxid",    "ctime",
                                                  "mtime",       "version",      "cversion",  "aversion", "ephemeral_owner",
                                                  "data_length", "num_children", "container", "ttl_ms"};
  return kNames;
}

Item StatItem(const std::string& path, const coord::Stat& stat) {
  Item item;
  item.id = path;
  item.json = {{"path", path}};
  item.cells = {path};
  const Json json = StatJson(stat);
  for (const auto& field : json.items()) {
    item.json[field.key()] = field.value();
    item.cells.push_back(field.value().is_string() ? field.value().get<std::string>() : field.value().dump());
  }
  return item;
}

std::string KindText(const coord::Stat& stat) {
  if (stat.ephemeral_owner.value != 0) return absl::StrCat("ephemeral of ", stat.ephemeral_owner.value);
  if (stat.container) return "container";
  return stat.ttl.count() == 0 ? "" : absl::StrCat("ttl ", process::FormatDuration(stat.ttl));
}

Item NodeItem(const coord::Node& node) {
  Item item;
  item.id = node.path;
  item.json = {{"path", node.path}};
  AddData(node.data, &item.json);
  item.json["stat"] = StatJson(node.stat);
  return item;
}

Item EventItem(const coord::Event& event) {
  Item item;
  item.id = event.path;
  item.json = {{"type", TypeName(event.type)}, {"path", event.path}, {"zxid", event.zxid.value}, {"ordinal", event.ordinal}};
  if (event.type != coord::Event::Type::kDeleted) AddData(event.data, &item.json);
  item.json["stat"] = StatJson(event.stat);
  return item;
}

std::string EventText(const coord::Event& event) {
  std::string text =
      absl::StrCat(TypeName(event.type), " ", event.path, " zxid=", event.zxid.value, " version=", event.stat.version);
  if (event.type != coord::Event::Type::kDeleted && !event.data.empty())
    absl::StrAppend(&text, " ", absl::Utf8SafeCHexEscape(event.data));
  return text;
}

}  // namespace drover::cli
