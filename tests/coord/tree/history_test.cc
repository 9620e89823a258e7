#include "coord/tree/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coord/base/random.h"
#include "coord/tree/path.h"
#include "tests/coord/tree/harness.h"

namespace drover::coord::tree {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Replay as text; one string "COMPACTED" if it is refused.
std::vector<std::string> Replay(const EventHistory& history, Position after, absl::string_view root = "/") {
  std::vector<std::string> texts;
  const bool covered =
      history.Replay(after, root, WatchKind::kPersistentRecursive, [&](const Event& event) { texts.push_back(TextOf(event)); });
  if (!covered) {
    EXPECT_TRUE(texts.empty());
    return {"COMPACTED"};
  }
  return texts;
}

// Events of several transactions, some with many, over two subtrees.
std::vector<Event> SomeEvents() {
  Machine m;
  m.Create("/a", "1");
  m.Unary(EncodeCreate({}, {"/b/c/d", "2", false, false, true}));
  TransactionBuilder t;
  t.Then(CreateView{"/a/x"}).Then(SetView{"/b", "3"}).Then(CreateView{"/ab"}).Then(DeleteView{"/a/x"});
  m.Unary(t.Encode({}));
  m.Unary(TransactionBuilder().Encode({}));  // a zxid without events
  m.Set("/b/c", "4");
  return m.events;
}

void AppendAll(EventHistory* history, const std::vector<Event>& events) {
  for (std::size_t i = 0; i < events.size();) {
    std::size_t end = i;
    while (end < events.size() && events[end].position().zxid == events[i].position().zxid) ++end;
    history->Append(absl::MakeConstSpan(events).subspan(i, end - i));
    i = end;
  }
}

TEST(History, ReplayFromTheBeginningIsEverything) {
  const std::vector<Event> events = SomeEvents();
  EventHistory history{HistoryOptions()};
  AppendAll(&history, events);
  EXPECT_THAT(
      Replay(history, {base::Zxid(0), Position::kAll}),
      ElementsAre("1.0 created /a '1'", "2.0 created /b ''", "2.1 created /b/c ''", "2.2 created /b/c/d '2'", "3.0 created /a/x ''",
                  "3.1 changed /b '3'", "3.2 created /ab ''", "3.3 deleted /a/x ''", "5.0 changed /b/c '4'"));
}

TEST(History, ReplayAtEveryPositionIsExactlyWhatIsLater) {
  const std::vector<Event> events = SomeEvents();
  EventHistory history{HistoryOptions()};
  AppendAll(&history, events);
  for (const char* root : {"/", "/a", "/b", "/b/c", "/none"}) {
    for (std::uint64_t zxid = 0; zxid <= 6; ++zxid) {
      for (const std::uint32_t ordinal : {0u, 1u, 2u, 3u, 4u, Position::kAll}) {
        const Position after{base::Zxid(zxid), ordinal};
        if (zxid == 0 && ordinal != Position::kAll) continue;
        std::vector<std::string> expected;
        for (const Event& event : events) {
          if (event.position() > after && IsAtOrBelow(event.path(), root)) expected.push_back(TextOf(event));
        }
        EXPECT_EQ(Replay(history, after, root), expected) << root << " after " << zxid << "." << ordinal;
      }
    }
  }
}

TEST(History, BoundDropsTheOldestAndSaysSo) {
  const std::vector<Event> events = SomeEvents();
  EventHistory all{HistoryOptions()};
  AppendAll(&all, events);
  for (std::size_t bytes_max = 0; bytes_max <= all.bytes() + 10; bytes_max += 10) {
    EventHistory history{HistoryOptions{bytes_max}};
    AppendAll(&history, events);
    ASSERT_LE(history.bytes(), bytes_max);
    const std::size_t gone = events.size() - history.size();
    const Position oldest = history.oldest();
    EXPECT_EQ(oldest, gone == 0 ? (Position{base::Zxid(0), Position::kAll}) : events[gone - 1].position());
    EXPECT_EQ(Replay(history, oldest).size(), history.size()) << "the oldest position is one that works";
    for (std::size_t i = 0; i < events.size(); ++i) {
      const bool covered = i + 1 >= gone;
      EXPECT_EQ(history.Covers(events[i].position()), covered);
      if (covered) {
        EXPECT_EQ(Replay(history, events[i].position()).size(), events.size() - i - 1);
      } else {
        EXPECT_THAT(Replay(history, events[i].position()), ElementsAre("COMPACTED"));
      }
    }
  }
}

TEST(History, OfAStateThatWasInstalledBeginsBehindIt) {
  EventHistory history(HistoryOptions(), base::Zxid(2));
  EXPECT_EQ(history.oldest(), (Position{base::Zxid(2), Position::kAll}));
  EXPECT_THAT(Replay(history, {base::Zxid(1), Position::kAll}), ElementsAre("COMPACTED"));
  EXPECT_THAT(Replay(history, {base::Zxid(2), 5}), ElementsAre("COMPACTED"));
  EXPECT_THAT(Replay(history, {base::Zxid(2), Position::kAll}), IsEmpty());
}

TEST(History, PositionsOfTheFutureGiveNothing) {
  EventHistory history{HistoryOptions()};
  AppendAll(&history, SomeEvents());
  EXPECT_THAT(Replay(history, {base::Zxid(1000), 0}), IsEmpty());
}

// A stream that breaks anywhere and resumes from its last event gets the same sequence as one that never broke.
TEST(History, BrokenAndResumedEqualsUnbroken) {
  base::SeededRandom random(5);
  Machine m;
  EventHistory history{HistoryOptions()};
  std::vector<std::string> resumed;
  Position seen{base::Zxid(0), Position::kAll};
  std::size_t appended = 0;
  for (int round = 0; round < 1000; ++round) {
    const std::string path = absl::StrCat("/", random.Below(3), "/", random.Below(3));
    m.Unary(random.Below(3) == 0 ? EncodeDelete({}, {path}) : EncodeCreate({}, {path, "", false, false, true}));
    if (m.events.size() > appended) {
      history.Append(absl::MakeConstSpan(m.events).subspan(appended));
      appended = m.events.size();
    }
    if (random.Below(5) != 0) continue;
    // Resume, and break again after some of what comes.
    std::uint64_t takes = random.Below(8);
    ASSERT_TRUE(history.Replay(seen, "/", WatchKind::kPersistentRecursive, [&](const Event& event) {
      if (takes == 0) return;
      --takes;
      seen = event.position();
      resumed.push_back(TextOf(event));
    }));
  }
  ASSERT_TRUE(
      history.Replay(seen, "/", WatchKind::kPersistentRecursive, [&](const Event& event) { resumed.push_back(TextOf(event)); }));
  EXPECT_EQ(resumed, m.TakeEvents());
}

TEST(History, AKindHearsWhatItsWatchWouldHaveHeard) {
  Machine m;
  EventHistory history{HistoryOptions()};
  for (const char* path : {"/a", "/a/b", "/a/b/c"}) m.Create(path);
  m.Set("/a", "x");
  m.Delete("/a/b/c");
  m.Delete("/a/b");
  for (const Event& event : m.events) history.Append({&event, 1});
  const auto replay = [&](WatchKind kind, std::uint64_t after) {
    std::vector<std::uint64_t> zxids;
    EXPECT_TRUE(history.Replay({base::Zxid(after), Position::kAll}, "/a", kind,
                               [&](const Event& event) { zxids.push_back(event.position().zxid.value); }));
    return zxids;
  };
  EXPECT_THAT(replay(WatchKind::kPersistentRecursive, 0), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(replay(WatchKind::kPersistent, 0), ElementsAre(1, 2, 4, 6));
  EXPECT_THAT(replay(WatchKind::kOnce, 0), ElementsAre(1));
  EXPECT_THAT(replay(WatchKind::kOnce, 1), ElementsAre(4));
  EXPECT_THAT(replay(WatchKind::kOnce, 4), IsEmpty());
  EXPECT_THAT(replay(WatchKind::kOnceChildren, 0), ElementsAre(2));
  EXPECT_THAT(replay(WatchKind::kOnceChildren, 2), ElementsAre(6));
}

}  // namespace
}  // namespace drover::coord::tree
