#include "coord/tree/sessions.h"

#include <gtest/gtest.h>

#include <string>

namespace drover::coord::tree {
namespace {

constexpr Session::Secret kSecret = {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};

class Sessions : public testing::Test {
 protected:
  Sessions() { session_ = table_.Open(base::SessionId(5), kSecret, 6000, 250, "name"); }
  void Write(std::uint64_t count) {
    for (; count > 0; --count) session_->Keep(base::Bytes::Copy("answer " + std::to_string(session_->last_write() + 1)));
  }

  SessionTable table_;
  Session* session_;
};

TEST_F(Sessions, AreFoundUntilRemoved) {
  EXPECT_EQ(table_.Find(base::SessionId(5)), session_);
  EXPECT_EQ(table_.Find(base::SessionId(6)), nullptr);
  EXPECT_EQ(session_->name(), "name");
  EXPECT_EQ(session_->timeout_ms(), 6000u);
  EXPECT_EQ(session_->disconnect_grace_ms(), 250u);
  table_.Remove(base::SessionId(5));
  EXPECT_EQ(table_.Find(base::SessionId(5)), nullptr);
  EXPECT_EQ(table_.size(), 0u);
}

TEST_F(Sessions, SecretMustBeTheSameInFull) {
  EXPECT_TRUE(session_->SecretIs("0123456789abcdef"));
  EXPECT_FALSE(session_->SecretIs("0123456789abcdeg"));
  EXPECT_FALSE(session_->SecretIs("0123456789abcde"));
  EXPECT_FALSE(session_->SecretIs(""));
}

TEST_F(Sessions, NumberingTable) {
  struct Case {
    std::uint64_t last, seen, number;
    Turn turn;
  };
  Options options;
  options.window_max = 10;
  for (const Case& c : {
           Case{0, 0, 1, Turn::kApply},          // the first
           Case{0, 0, 2, Turn::kOutOfOrder},     // a gap at the beginning
           Case{5, 0, 6, Turn::kApply},          // the next
           Case{5, 0, 5, Turn::kKept},           // sent again
           Case{5, 0, 1, Turn::kKept},           // the oldest kept
           Case{5, 2, 3, Turn::kKept},           // the oldest unseen
           Case{5, 2, 2, Turn::kForgotten},      // seen, and sent again all the same
           Case{5, 5, 5, Turn::kForgotten},      //
           Case{5, 5, 6, Turn::kApply},          // nothing kept
           Case{5, 0, 7, Turn::kOutOfOrder},     // a gap
           Case{5, 0, 10, Turn::kOutOfOrder},    // a gap, still within the window
           Case{5, 0, 11, Turn::kWindowFull},    // a gap, and beyond the window
           Case{10, 0, 10, Turn::kKept},         // a full window answers what it has
           Case{10, 0, 11, Turn::kWindowFull},   // and takes no more
           Case{10, 1, 11, Turn::kApply},        // until one is seen
           Case{10, 1, 12, Turn::kWindowFull},   //
           Case{10, 10, 20, Turn::kOutOfOrder},  //
           Case{10, 10, ~std::uint64_t{0}, Turn::kWindowFull},
       }) {
    SessionTable table;
    session_ = table.Open(base::SessionId(1), kSecret, 1, 0, "");
    Write(c.last);
    session_->See(c.seen);
    EXPECT_EQ(session_->Judge(c.number, options), c.turn) << "last " << c.last << " seen " << c.seen << " number " << c.number;
    EXPECT_EQ(session_->last_write(), c.last) << "judging changes nothing";
  }
}

TEST_F(Sessions, KeptBytesFillTheWindowToo) {
  Options options;
  options.kept_bytes_max = 2 * (Session::kAnswerBytes + 8);
  Write(1);
  EXPECT_EQ(session_->kept_bytes(), Session::kAnswerBytes + 8);
  EXPECT_EQ(session_->Judge(2, options), Turn::kApply);
  Write(1);
  EXPECT_EQ(session_->Judge(3, options), Turn::kWindowFull);
  session_->See(1);
  EXPECT_EQ(session_->Judge(3, options), Turn::kApply);
}

TEST_F(Sessions, NoAnswerIsDroppedBeforeItIsSeen) {
  std::uint64_t seen = 0;
  for (int round = 0; round < 300; ++round) {
    Write(7);
    if (round % 3 == 0) seen += 20;
    session_->See(seen);
    ASSERT_LE(session_->seen(), session_->last_write());
    for (std::uint64_t n = session_->seen() + 1; n <= session_->last_write(); ++n) {
      ASSERT_EQ(session_->KeptAnswer(n).view(), "answer " + std::to_string(n));
    }
  }
  session_->See(session_->last_write());
  EXPECT_EQ(session_->kept_bytes(), 0u);
}

TEST_F(Sessions, SeenMarkFromThePastOrTheFutureIsHarmless) {
  Write(5);
  session_->See(3);
  session_->See(1);
  EXPECT_EQ(session_->seen(), 3u);
  session_->See(1000);
  EXPECT_EQ(session_->seen(), 5u) << "what was not written was not seen";
  Write(1);
  EXPECT_EQ(session_->KeptAnswer(6).view(), "answer 6");
}

}  // namespace
}  // namespace drover::coord::tree
