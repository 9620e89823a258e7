// What counts of all that went wrong: a node's own word before silence.
#include "coord/client/breaks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drover::coord::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const absl::Status kRefused = absl::UnavailableError("cannot connect: Connection refused");
const absl::Status kFull = absl::ResourceExhaustedError("the disk of this node is full");
const absl::Status kNoLeader = absl::UnavailableError("no leader is known to this node");

absl::Status Of(const std::string& address, const absl::Status& status) {
  return absl::Status(status.code(), address + ": " + std::string(status.message()));
}

TEST(BreaksTest, WhatANodeSaidStandsThoughAnotherCannotBeReached) {
  Breaks breaks({"a:1", "b:1", "c:1"});
  EXPECT_TRUE(breaks.last().ok());
  EXPECT_EQ(breaks.Add(2, kRefused, false), Of("c:1", kRefused));
  EXPECT_EQ(breaks.last(), Of("c:1", kRefused));
  EXPECT_THAT(breaks.Answers(), IsEmpty());
  EXPECT_EQ(breaks.Add(0, kFull, true), Of("a:1", kFull));
  (void)breaks.Add(2, kRefused, false);
  EXPECT_EQ(breaks.last(), Of("a:1", kFull));
  (void)breaks.Add(1, kNoLeader, true);
  (void)breaks.Add(2, kRefused, false);
  EXPECT_EQ(breaks.last(), Of("b:1", kNoLeader)) << "the newer of two";
  EXPECT_THAT(breaks.Answers(), ElementsAre(Of("a:1", kFull), Of("b:1", kNoLeader)));
  EXPECT_THAT(breaks.Silences(), ElementsAre(Of("c:1", kRefused)));
}

TEST(BreaksTest, OfOneThatHasGoneTheWordIsForgotten) {
  Breaks breaks({"a:1", "b:1"});
  (void)breaks.Add(0, kFull, true);
  (void)breaks.Add(1, kRefused, false);
  (void)breaks.Add(0, kRefused, false);
  EXPECT_EQ(breaks.last(), Of("a:1", kRefused));
  EXPECT_THAT(breaks.Answers(), IsEmpty());
}

TEST(BreaksTest, WhatWasBeforeALinkStoodIsThePast) {
  Breaks breaks({"a:1", "b:1"});
  (void)breaks.Add(0, kNoLeader, true);
  breaks.OnAttached();
  EXPECT_EQ(breaks.last(), Of("a:1", kNoLeader)) << "until something breaks again";
  EXPECT_THAT(breaks.Answers(), IsEmpty());
  (void)breaks.Add(1, kRefused, false);
  EXPECT_EQ(breaks.last(), Of("b:1", kRefused));
}

}  // namespace
}  // namespace drover::coord::client
