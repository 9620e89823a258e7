#include "client/cli/stat_text.h"

#include <gtest/gtest.h>

namespace drover::cli {
namespace {

coord::Node SomeNode(const std::string& data) {
  coord::Node node;
  node.path = "/a";
  node.stat.czxid = base::Zxid(3);
  node.stat.ctime = base::WallTime(1'000);
  node.stat.version = 7;
  node.data = data;
  return node;
}

TEST(StatTextTest, AStatHasAsManyCellsAsNames) {
  const Item item = StatItem("/a", SomeNode("").stat);
  EXPECT_EQ(item.cells.size(), StatNames().size());
  EXPECT_EQ(item.json["czxid"], 3);
  EXPECT_EQ(item.json["ctime"], "1970-01-01T00:00:01.000Z");
  EXPECT_EQ(item.json["version"], 7);
}

TEST(StatTextTest, DataThatIsNoTextIsBase64) {
  EXPECT_EQ(NodeItem(SomeNode("text")).json["data"], "text");
  const Json json = NodeItem(SomeNode("\xff\x00")).json;
  EXPECT_TRUE(json["data"].is_null());
  EXPECT_EQ(json["data_base64"], "/w==");
}

TEST(StatTextTest, AKindIsAFewWords) {
  coord::Stat stat;
  EXPECT_EQ(KindText(stat), "");
  stat.ttl = std::chrono::minutes(90);
  EXPECT_EQ(KindText(stat), "ttl 1h30m");
  stat.container = true;
  EXPECT_EQ(KindText(stat), "container");
  stat.ephemeral_owner = coord::SessionId(17);
  EXPECT_EQ(KindText(stat), "ephemeral of 17");
}

TEST(StatTextTest, AnEventIsOneLine) {
  coord::Event event;
  event.type = coord::Event::Type::kChanged;
  event.path = "/a";
  event.zxid = base::Zxid(17);
  event.stat.version = 3;
  event.data = "two\nlines";
  EXPECT_EQ(EventText(event), "CHANGED /a zxid=17 version=3 two\\nlines");
  event.type = coord::Event::Type::kDeleted;
  EXPECT_EQ(EventText(event), "DELETED /a zxid=17 version=3");
  EXPECT_FALSE(EventItem(event).json.contains("data"));
}

}  // namespace
}  // namespace drover::cli
