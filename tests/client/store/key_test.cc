#include "client/store/key.h"

#include <gtest/gtest.h>

#include "client/store/object_store.h"

namespace drover::store {
namespace {

TEST(KeyTest, GoodKeys) {
  for (const char* key : {"a", "marker", "output/t1/17/out/00000000", "A.b_c-d/0", "9"}) EXPECT_TRUE(CheckKey(key).ok()) << key;
  EXPECT_TRUE(CheckKey(std::string(kKeyComponentBytesMax, 'x')).ok());
  EXPECT_TRUE(CheckKey(std::string(200, 'x') + "/" + std::string(200, 'y') + "/" + std::string(110, 'z')).ok());
}

TEST(KeyTest, BadKeys) {
  for (const std::string& key :
       {std::string(), std::string("/"), std::string("/a"), std::string("a/"), std::string("a//b"), std::string(".."),
        std::string("a/../b"), std::string("."), std::string(".hidden"), std::string("a/.b"), std::string("a b"), std::string("a@"),
        std::string("a\0b", 3), std::string("a\nb"), std::string("-a"), std::string("\xc3\xa4"),
        std::string(kKeyComponentBytesMax + 1, 'x'),
        std::string(200, 'x') + "/" + std::string(200, 'y') + "/" + std::string(111, 'z')}) {
    EXPECT_TRUE(absl::IsInvalidArgument(CheckKey(key))) << key;
  }
}

TEST(KeyTest, APrefixMayEndAnywhere) {
  for (const char* prefix : {"", "a", "a/", "a/b."}) EXPECT_TRUE(CheckPrefix(prefix).ok()) << prefix;
  for (const char* prefix : {"/", "a//", "../", "a/.", "a@"}) EXPECT_FALSE(CheckPrefix(prefix).ok()) << prefix;
}

}  // namespace
}  // namespace drover::store
