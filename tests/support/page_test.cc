#include "tests/support/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drover::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kPage[] = R"(# Title
| a | `b | c` |
|---|---|
| 1 | 2 |
## 2. A node's end
```sh
# no heading
one
```
```text
said
```
```toml
nobody's
```
```sh
two
```
)";

TEST(PageTest, SectionsHaveTheirBlocksAndTables) {
  const std::vector<Section> sections = SectionsOf(kPage);
  ASSERT_EQ(sections.size(), 3u);
  EXPECT_EQ(sections[1].title, "Title");
  EXPECT_THAT(sections[1].tables, ElementsAre(ElementsAre("a", "`b | c`"), ElementsAre("1", "2")));
  EXPECT_THAT(sections[1].shell, IsEmpty());
  EXPECT_EQ(sections[2].title, "2. A node's end");
  EXPECT_EQ(sections[2].anchor(), "#2-a-nodes-end");
  EXPECT_THAT(sections[2].shell, ElementsAre("# no heading\none\n", "two\n"));
  EXPECT_THAT(sections[2].texts, ElementsAre("said\n"));
  EXPECT_EQ(ShellBlocks(kPage), sections[2].shell);
}

TEST(PageTest, WhatIsQuotedIsFound) {
  EXPECT_THAT(Quoted("say `one` or `two and three`, not `four"), ElementsAre("one", "two and three"));
}

}  // namespace
}  // namespace drover::testing
