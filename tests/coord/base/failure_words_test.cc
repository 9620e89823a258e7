#include "coord/base/failure_words.h"

#include "gtest/gtest.h"

namespace drover::base {
namespace {

TEST(FailureWordsTest, WhatTheSystemSaidIsLeftOfALinkThatNeverWas) {
  EXPECT_EQ(FailureWords("failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Failed to connect to remote "
                         "host: Connection refused"),
            "cannot connect: Connection refused");
  EXPECT_EQ(FailureWords("failed to connect to all addresses"), "cannot connect");
}

TEST(FailureWordsTest, ANameThatNobodyKnowsIsSaidToBeOne) {
  EXPECT_EQ(FailureWords("DNS resolution failed for nohost.invalid:7400: C-ares status is not ARES_SUCCESS qtype=AAAA "
                         "name=nohost.invalid is_balancer=0: Domain name not found"),
            "its name cannot be resolved: Domain name not found");
}

TEST(FailureWordsTest, ADeadlineThatPassedIsSilence) {
  EXPECT_EQ(FailureWords("Deadline Exceeded"), "no answer in time");
  EXPECT_EQ(FailureWords("failed to connect to all addresses; last error: UNAVAILABLE: ipv4:127.0.0.1:1: connection attempt timed "
                         "out before receiving SETTINGS frame"),
            "no answer in time");
}

TEST(FailureWordsTest, SilenceIsToldFromAServersWord) {
  for (const char* const words : {"cannot connect", "cannot connect: Connection refused", "no answer in time",
                                  "its name cannot be resolved: Domain name not found"}) {
    EXPECT_TRUE(IsOfSilence(words)) << words;
  }
  EXPECT_FALSE(IsOfSilence("no leader is known to this node"));
  EXPECT_FALSE(IsOfSilence(""));
}

TEST(FailureWordsTest, AServersOwnWordStands) {
  EXPECT_EQ(FailureWords("no leader is known to this node"), "no leader is known to this node");
  EXPECT_EQ(FailureWords(""), "");
}

}  // namespace
}  // namespace drover::base
