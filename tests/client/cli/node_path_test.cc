#include "client/cli/node_path.h"

#include <gtest/gtest.h>

namespace drover::cli {
namespace {

TEST(NodePathTest, APathIsSeenFromTheNodeAtHand) {
  const struct {
    const char* at;
    const char* typed;
    const char* path;
  } table[] = {{"/a/b", "c", "/a/b/c"},    {"/a/b", "/c", "/c"},       {"/a/b", "", "/a/b"},
               {"/a/b", ".", "/a/b"},      {"/a/b", "..", "/a"},       {"/a/b", "../c/", "/a/c"},
               {"/a/b", "../../..", "/"},  {"/", "a//b/", "/a/b"},     {"/", "", "/"},
               {"/a", "/", "/"},           {"/a", "./b/../c", "/a/c"}, {"/a", "...", "/a/..."},
               {"/a/b", "c d", "/a/b/c d"}};
  for (const auto& row : table) EXPECT_EQ(ResolvePath(row.at, row.typed), row.path) << row.at << " " << row.typed;
}

}  // namespace
}  // namespace drover::cli
