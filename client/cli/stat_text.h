// Nodes and events of the tree as the command prints them.
#ifndef DROVER_CLIENT_CLI_STAT_TEXT_H_
#define DROVER_CLIENT_CLI_STAT_TEXT_H_

#include <string>

#include "client/cli/output.h"
#include "drover/coord/types.h"

namespace drover::cli {

[[nodiscard]] Json StatJson(const coord::Stat& stat);
// The names of StatItem's cells.
[[nodiscard]] const std::vector<std::string>& StatNames();
[[nodiscard]] Item StatItem(const std::string& path, const coord::Stat& stat);
// What is special about a node's life: "ephemeral of 17", "container", "ttl 1m"; empty: nothing.
[[nodiscard]] std::string KindText(const coord::Stat& stat);
// Fields "data" (null if it is no text) and "data_base64" (only then).
void AddData(const std::string& data, Json* json);
// {"path", "data" (null if it is no text), "data_base64" (only then), "stat"}
[[nodiscard]] Item NodeItem(const coord::Node& node);
[[nodiscard]] Item EventItem(const coord::Event& event);
// "CHANGED /a/b zxid=17 version=3 hello"
[[nodiscard]] std::string EventText(const coord::Event& event);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_STAT_TEXT_H_
