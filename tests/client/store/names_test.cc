#include "client/store/names.h"

#include <gtest/gtest.h>

#include "client/store/object_store.h"

namespace drover::store {
namespace {

TEST(NamesTest, AreWhatIsDocumented) {
  EXPECT_EQ(InputKey("t1", 0x1a), "input/t1/000000000000001a");
  EXPECT_EQ(OutputKey("t1", 17, store::Part::kOut, 3), "output/t1/17/out/00000003");
  EXPECT_EQ(OutputKey("t1", 17, store::Part::kErr, 12345678), "output/t1/17/err/12345678");
}

TEST(NamesTest, AnInputNamesItsTask) {
  EXPECT_EQ(TaskOfInput(InputKey("t1", 1)), "t1");
  for (const char* other : {"input/", "input/t1", "input//x", "inputs/t1/x", "output/t1/17/out/00000003", "marker", ""}) {
    EXPECT_FALSE(TaskOfInput(other).has_value()) << other;
  }
}

TEST(NamesTest, TheLongestTaskIdMakesAValidKey) {
  const std::string id(128, 'x');
  EXPECT_TRUE(CheckKey(InputKey(id, ~0ull)).ok());
  EXPECT_TRUE(CheckKey(OutputKey(id, ~0ull, store::Part::kErr, ~0u)).ok());
  // The bound of a key inside a task record.
  EXPECT_LE(InputKey(id, ~0ull).size(), 160u);
}

}  // namespace
}  // namespace drover::store
