// When a session's answers must wait for its watches. How watches live over streams is in session_machine_test.cc.
#include "coord/client/watch_table.h"

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace drover::coord::client {
namespace {

struct Listener final : WatchListener {
  void OnEvent(const Event&) override {}
  void OnCompacted() override {}
};

class WatchTableTest : public ::testing::Test {
 protected:
  WatchId Add(std::optional<Position> after = std::nullopt) { return table_.Add("/a", {.after = after}, &listener_); }
  void Stream(std::size_t endpoint = 0) {
    table_.StartStream(endpoint);
    Send();
  }
  void Send() {
    std::string frame;
    asked_ += table_.Fill(&frame, 100, next_to_send_);
  }
  // To what was asked `back` requests before the last one.
  void Answer(Code code, std::uint64_t back = 0) {
    AnswerView answer;
    answer.id = (std::uint64_t{1} << 63) | (asked_ - back);
    answer.code = code;
    answer.zxid = Zxid(7);
    table_.OnAnswer(answer);
  }

  WatchTable table_{2, std::make_shared<bool>(true)};
  Listener listener_;
  RequestQueue::Key next_to_send_ = 1;
  std::uint64_t asked_ = 0;
};

TEST_F(WatchTableTest, AWatchFromNowOnKeepsNobodyWaiting) {
  Add();
  Stream();
  EXPECT_FALSE(table_.catching_up());
  Answer(Code::kOk);
  EXPECT_FALSE(table_.catching_up());
}

TEST_F(WatchTableTest, OnANewStreamAllThatStandSomewhereAreCaughtUpFirst) {
  Add();
  Add(Position{Zxid(3)});
  EXPECT_TRUE(table_.catching_up());
  Stream();
  Answer(Code::kOk);
  EXPECT_TRUE(table_.catching_up()) << "the one from now on, which is asked for last";
  Answer(Code::kOk, 1);
  EXPECT_FALSE(table_.catching_up());

  Stream();
  EXPECT_TRUE(table_.catching_up());
  Answer(Code::kOk);
  EXPECT_TRUE(table_.catching_up()) << "one of two";
  Stream();
  Answer(Code::kOk);
  Answer(Code::kOk, 1);
  EXPECT_FALSE(table_.catching_up());
  table_.OnProgress(Zxid(9));
  EXPECT_FALSE(table_.catching_up());
}

TEST_F(WatchTableTest, AnEventBeforeTheAnswerGivesAWatchItsPlace) {
  const WatchId id = Add();
  Stream();
  EventView event;
  event.event.zxid = Zxid(5);
  event.watches.push_back(id.value);
  table_.OnEvent(event);
  EXPECT_TRUE(table_.catching_up());
  event.event.zxid = Zxid(6);
  table_.OnEvent(event);
  Answer(Code::kOk);
  EXPECT_FALSE(table_.catching_up());
}

// The service tells an event to a stream once, with data if one of its watches asked for it.
TEST_F(WatchTableTest, DataIsForTheWatchThatAskedForIt) {
  struct Hearing final : WatchListener {
    void OnEvent(const Event& event) override { data.push_back(event.data); }
    void OnCompacted() override {}
    std::vector<std::string> data;
  } with, without;
  EventView view;
  view.event.zxid = Zxid(5);
  view.event.data = "x";
  view.watches.push_back(table_.Add("/a", {.with_data = true}, &with).value);
  view.watches.push_back(table_.Add("/a", {.with_data = false}, &without).value);
  Stream();
  table_.OnEvent(view);
  EXPECT_EQ(with.data, std::vector<std::string>{"x"});
  EXPECT_EQ(without.data, std::vector<std::string>{""});
}

TEST_F(WatchTableTest, WhatIsRemovedRefusedOrEndedIsNotWaitedFor) {
  table_.Remove(Add(Position{Zxid(3)}));
  EXPECT_FALSE(table_.catching_up());
  table_.Remove(WatchId(77));
  EXPECT_FALSE(table_.catching_up());

  Add(Position{Zxid(3)});
  Stream();
  Answer(Code::kInvalidArgument);
  EXPECT_FALSE(table_.catching_up());

  const WatchId armed = Add(Position{Zxid(3)});
  Send();
  Answer(Code::kOk);
  table_.Remove(armed);
  EXPECT_FALSE(table_.catching_up());

  Add(Position{Zxid(3)});
  table_.EndAll(absl::CancelledError("gone"));
  EXPECT_FALSE(table_.catching_up());
}

TEST_F(WatchTableTest, WhatCannotBeResumedJustNowIsWaitedForAndWhatIsCompactedEverywhereIsNot) {
  Add(Position{Zxid(3)});
  Stream();
  Answer(Code::kUnavailable);
  EXPECT_TRUE(table_.catching_up());
  table_.AskAgain();
  Send();
  Answer(Code::kCompacted);
  table_.ReportCompacted();
  EXPECT_TRUE(table_.catching_up()) << "another node may still have it";
  table_.OnUnreachable(1);
  table_.ReportCompacted();
  EXPECT_FALSE(table_.catching_up());
}

TEST_F(WatchTableTest, AWatchThatHearsOnceIsGoneBeforeItsListenerHears) {
  struct Once final : WatchListener {
    void OnEvent(const Event& event) override {
      paths.push_back(event.path);
      again = table->Add("/a", {.kind = WatchKind::kOnce}, this);
    }
    void OnCompacted() override {}
    WatchTable* table = nullptr;
    std::vector<std::string> paths;
    WatchId again;
  };
  Once once;
  once.table = &table_;
  const WatchId id = table_.Add("/a", {.kind = WatchKind::kOnce}, &once);
  Stream();
  Answer(Code::kOk);
  EventView view;
  view.event.zxid = Zxid(8);
  view.event.path = "/a";
  view.watches = {id.value};
  table_.OnEvent(view);
  table_.OnEvent(view);
  EXPECT_EQ(once.paths, (std::vector<std::string>{"/a"}));
  EXPECT_NE(once.again, id);
  Send();
  EXPECT_EQ(asked_, 2u) << "the new one is armed; the old one need not be removed";
  Stream(1);
  EXPECT_EQ(asked_, 3u);
}

TEST_F(WatchTableTest, ANewWatchWaitsForTheCallsBeforeItAndOneThatResumesDoesNot) {
  Stream();
  table_.Add("/a", {}, &listener_, /*behind=*/3);
  table_.Add("/b", {}, &listener_, /*behind=*/5);
  Add(Position{Zxid(3)});
  Send();
  EXPECT_EQ(asked_, 1u) << "the one that resumes";
  EXPECT_EQ(table_.Barrier(), 3u);
  next_to_send_ = 3;
  Send();
  EXPECT_EQ(asked_, 2u);
  EXPECT_EQ(table_.Barrier(), 5u);
  // What was not armed before the link broke waits again.
  next_to_send_ = 2;
  Stream(1);
  EXPECT_EQ(asked_, 3u) << "the one that resumes";
  next_to_send_ = 5;
  Send();
  EXPECT_EQ(asked_, 5u);
  EXPECT_EQ(table_.Barrier(), RequestQueue::kNoKey);
}

}  // namespace
}  // namespace drover::coord::client
