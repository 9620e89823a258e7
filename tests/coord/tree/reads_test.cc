#include "coord/tree/reads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/coord/tree/harness.h"

namespace drover::coord::tree {
namespace {

using testing::ElementsAre;

TEST(Reads, GetShowsDataStatIdAndZxid) {
  Machine m;
  m.Create("/a", "data");
  m.Create("/b");
  const DecodedAnswer answer = m.Read(EncodeGet({.id = 7}, "/a"));
  EXPECT_EQ(answer.code, Code::kOk);
  EXPECT_EQ(answer.id, 7u);
  EXPECT_EQ(answer.zxid, 2u) << "of the state, not of the node";
  EXPECT_EQ(answer.data, "data");
  EXPECT_EQ(answer.stat, m.StatOf("/a"));
}

TEST(Reads, ExistsShowsNoData) {
  Machine m;
  m.Create("/a", "data");
  const DecodedAnswer answer = m.Read(EncodeExists({}, "/a"));
  EXPECT_EQ(answer.stat.data_length, 4u);
  EXPECT_EQ(answer.data, "");
}

TEST(Reads, SyncIsAnsweredByTheZxid) {
  Machine m;
  m.Create("/a");
  EXPECT_EQ(m.Read(EncodeSync({.id = 3})).zxid, 1u);
  EXPECT_EQ(m.Read(EncodeSync({.id = 3})).code, Code::kOk);
}

TEST(Reads, RefusalsAreTheSameForAll) {
  Machine m;
  for (const std::string& request : {EncodeGet({.id = 1}, "/x"), EncodeExists({.id = 1}, "/x"), EncodeChildren({.id = 1}, {"/x"}),
                                     EncodeList({.id = 1}, {"/x"})}) {
    EXPECT_EQ(m.Read(request).code, Code::kNoNode);
    EXPECT_EQ(m.Read(request).id, 1u);
  }
  for (const std::string& request : {EncodeGet({}, "x"), EncodeExists({}, ""), EncodeChildren({}, {"/x/"}), EncodeList({}, {"//"}),
                                     EncodeList({}, {"/", "no path"}), EncodeCreate({}, {"/a"})}) {
    EXPECT_EQ(m.Read(request).code, Code::kInvalidArgument);
  }
  EXPECT_EQ(m.Read(EncodeGet({}, "/" + std::string(5000, 'p'))).code, Code::kTooLarge);
  m.Create("/a");
  EXPECT_EQ(m.Read(EncodeList({}, {"/a", "/b"})).code, Code::kInvalidArgument) << "`after` lies outside";
}

TEST(Reads, ChildrenComeByNameInPages) {
  Machine m;
  for (const char* path : {"/b", "/a", "/aa", "/a-", "/c"}) m.Create(path);
  m.Create("/a/x");
  EXPECT_THAT(m.Read(EncodeChildren({}, {"/"})).names, ElementsAre("a", "a-", "aa", "b", "c"));
  EXPECT_FALSE(m.Read(EncodeChildren({}, {"/"})).more);
  const DecodedAnswer first = m.Read(EncodeChildren({}, {"/", "", 2}));
  EXPECT_THAT(first.names, ElementsAre("a", "a-"));
  EXPECT_TRUE(first.more);
  EXPECT_THAT(m.Read(EncodeChildren({}, {"/", "a-", 2})).names, ElementsAre("aa", "b"));
  EXPECT_THAT(m.Read(EncodeChildren({}, {"/", "ab", 2})).names, ElementsAre("b", "c")) << "after a name that is not there";
  EXPECT_FALSE(m.Read(EncodeChildren({}, {"/", "aa", 2})).more) << "exactly the rest";
  EXPECT_TRUE(m.Read(EncodeChildren({}, {"/", "c"})).names.empty());
  EXPECT_TRUE(m.Read(EncodeChildren({}, {"/c"})).names.empty());
}

std::vector<std::string> AllPages(const Machine& m, absl::string_view path, std::uint32_t limit, std::size_t* pages) {
  std::vector<std::string> paths;
  std::string after;
  for (*pages = 1;; ++*pages) {
    const DecodedAnswer page = m.Read(EncodeList({}, {path, after, limit}));
    EXPECT_EQ(page.code, Code::kOk);
    for (const DecodedNode& node : page.nodes) paths.push_back(node.path);
    if (!page.more) return paths;
    EXPECT_FALSE(page.nodes.empty());
    if (page.nodes.empty()) return paths;
    after = page.nodes.back().path;
  }
}

TEST(Reads, ListGivesTheSubtreeInPagesOfAnySize) {
  Machine m;
  for (const char* path : {"/p", "/p/b", "/p/a", "/p/a/x", "/p/a-", "/p/a/x/y", "/q"}) m.Create(path, "data");
  const std::vector<std::string> all = {"/p", "/p/a", "/p/a/x", "/p/a/x/y", "/p/a-", "/p/b"};
  for (std::uint32_t limit = 0; limit <= 7; ++limit) {
    std::size_t pages = 0;
    EXPECT_EQ(AllPages(m, "/p", limit, &pages), all);
    EXPECT_EQ(pages, limit == 0 || limit >= 6 ? 1u : (6 + limit - 1) / limit);
  }
  const DecodedAnswer page = m.Read(EncodeList({}, {"/p"}));
  EXPECT_EQ(page.zxid, 7u);
  EXPECT_EQ(page.nodes[1].data, "data");
  EXPECT_EQ(page.nodes[1].stat, m.StatOf("/p/a"));
  PageView without{"/p"};
  without.without_data = true;
  EXPECT_EQ(m.Read(EncodeList({}, without)).nodes[1].data, "");
}

TEST(Reads, PagesAreBoundedByBytesAndByCount) {
  Options options;
  options.page_bytes_max = 2000;
  options.page_nodes_max = 3;
  Machine m(options);
  for (int i = 0; i < 8; ++i) m.Create(absl::StrCat("/small", i));
  EXPECT_EQ(m.Read(EncodeChildren({}, {"/"})).names.size(), 3u);
  EXPECT_EQ(m.Read(EncodeList({}, {"/", "", 100})).nodes.size(), 3u);
  for (int i = 0; i < 8; ++i) m.Set(absl::StrCat("/small", i), std::string(1500, 'x'));
  std::size_t pages = 0;
  EXPECT_EQ(AllPages(m, "/", 0, &pages).size(), 9u);
  EXPECT_EQ(pages, 8u) << "the root and one, then one big node each";
  m.Set("/small3", std::string(5000, 'x'));
  EXPECT_EQ(m.Read(EncodeList({}, {"/", "/small2"})).nodes.size(), 1u) << "a node larger than a page still comes, alone";
}

TEST(Reads, ListGoesOnBehindANodeThatHasGone) {
  Machine m;
  for (const char* path : {"/a", "/b", "/c"}) m.Create(path);
  m.Delete("/b");
  const DecodedAnswer page = m.Read(EncodeList({}, {"/", "/b"}));
  ASSERT_EQ(page.nodes.size(), 1u);
  EXPECT_EQ(page.nodes[0].path, "/c");
}

}  // namespace
}  // namespace drover::coord::tree
