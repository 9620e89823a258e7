#include "worker/agent/last_will.h"

#include <string>

#include "gtest/gtest.h"

namespace drover::worker::agent {
namespace {

TEST(LastWill, ComesBackAsItWas) {
  LastWill will{
      .worker = "w1", .died_path = "/drover/default/died/p1", .endpoints = {"a:1", "[::1]:2"}, .patience = std::chrono::seconds(7)};
  will.ticket.id = coord::SessionId(77);
  will.ticket.secret = std::string("\0\n\xff,binary secret", 16);
  const auto back = DecodeLastWill(EncodeLastWill(will));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->worker, will.worker);
  EXPECT_EQ(back->died_path, will.died_path);
  EXPECT_EQ(back->ticket.id, will.ticket.id);
  EXPECT_EQ(back->ticket.secret, will.ticket.secret);
  EXPECT_EQ(back->endpoints, will.endpoints);
  EXPECT_EQ(back->patience, will.patience);
}

TEST(LastWill, NonsenseIsRefused) {
  for (const char* text : {"", "a\nb\nc\nd\ne\n1", "a\nb\n1\n00\n\n1", "a\nb\n1\n00\ne:1\nx", "a\nb\n1\n00"})
    EXPECT_FALSE(DecodeLastWill(text).ok()) << text;
}

}  // namespace
}  // namespace drover::worker::agent
