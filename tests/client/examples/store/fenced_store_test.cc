#include "client/examples/store/fenced_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/process.h"

namespace drover::examples {
namespace {

using ::testing::ElementsAre;

class FencedStoreTest : public ::testing::Test {
 protected:
  std::vector<std::string> Data(const Holder& holder) {
    const auto records = store_.Read("log", holder);
    EXPECT_TRUE(records.ok()) << records.status();
    std::vector<std::string> data;
    if (records.ok()) {
      for (const Record& record : *records) data.push_back(record.data);
    }
    return data;
  }

  testing::TemporaryDirectory dir_;
  FencedStore store_{dir_ / "store"};
  const Holder old_{.token = 7, .who = "old"};
  const Holder new_{.token = 9, .who = "new"};
};

TEST_F(FencedStoreTest, WhatIsAppendedIsReadInOrderByteForByte) {
  const std::string bytes("tab\t newline\n nought\0 \xff", 23);
  EXPECT_TRUE(store_.Append("log", old_, "1", bytes).ok());
  EXPECT_TRUE(store_.Append("log", old_, "2", "").ok());
  EXPECT_THAT(Data(old_), ElementsAre(bytes, ""));
  EXPECT_THAT(store_.Read("another", old_).value(), ElementsAre());
}

TEST_F(FencedStoreTest, ALowerTokenIsRefusedAlsoWhenTheHigherOneHasOnlyRead) {
  EXPECT_TRUE(store_.Append("log", old_, "1", "one").ok());
  EXPECT_THAT(Data(new_), ElementsAre("one"));
  EXPECT_TRUE(absl::IsFailedPrecondition(store_.Append("log", old_, "2", "two").status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(store_.Read("log", old_).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(store_.Check("log", old_)));
  EXPECT_TRUE(store_.Check("log", new_).ok());
  EXPECT_THAT(Data(new_), ElementsAre("one"));
}

TEST_F(FencedStoreTest, WhatIsSentAgainIsStoredOnceAlsoByTheNextHolder) {
  EXPECT_TRUE(store_.Append("log", old_, "1", "one").value());
  EXPECT_FALSE(store_.Append("log", new_, "1", "one").value());
  EXPECT_THAT(Data(new_), ElementsAre("one"));
}

TEST_F(FencedStoreTest, ATornLineIsCutAndADamagedOneRefused) {
  EXPECT_TRUE(store_.Append("log", old_, "1", "one").ok());
  std::ofstream(dir_ / "store/log", std::ios::app) << "9\tnew\t2\ttw";
  EXPECT_THAT(Data(old_), ElementsAre("one"));
  EXPECT_TRUE(store_.Append("log", old_, "2", "two").ok());
  EXPECT_THAT(Data(old_), ElementsAre("one", "two"));
  std::ofstream(dir_ / "store/log", std::ios::app) << "nonsense\n";
  EXPECT_TRUE(absl::IsDataLoss(store_.Read("log", old_).status()));
}

TEST_F(FencedStoreTest, NamesAreFileNames) {
  EXPECT_TRUE(IsName("ann.smith_2-x"));
  for (const char* name : {"", ".", "..", ".hidden", "a/b", "a b", "a\n"}) {
    EXPECT_FALSE(IsName(name)) << name;
    EXPECT_TRUE(absl::IsInvalidArgument(store_.Append(name, old_, "1", "").status())) << name;
  }
}

}  // namespace
}  // namespace drover::examples
