#include "coord/tree/watches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coord/base/random.h"
#include "coord/tree/path.h"
#include "tests/coord/tree/harness.h"

namespace drover::coord::tree {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto kRecursive = static_cast<std::uint32_t>(WatchKind::kPersistentRecursive);

class Watches : public testing::Test {
 protected:
  Code Add(std::uint64_t stream, std::uint64_t id, absl::string_view path, bool with_data = false) {
    return watches_.Add(StreamId(stream), id, path, kRecursive, with_data);
  }
  // Of stream 1.
  void AddOf(WatchKind kind, std::uint64_t id, absl::string_view path) {
    ASSERT_EQ(watches_.Add(StreamId(1), id, path, static_cast<std::uint32_t>(kind), false), Code::kOk);
  }
  // "stream: path ids [data]" of what the events since the last call deliver.
  std::vector<std::string> Deliver() {
    std::vector<std::string> texts;
    const absl::Span<const Event> news = absl::MakeConstSpan(m_.events).subspan(seen_);
    watches_.Match(news, [&](const Delivery& d) {
      texts.push_back(
          absl::StrCat(d.stream.value, ": ", d.event->path(), " ", absl::StrJoin(d.watch_ids, ","), d.with_data ? " data" : ""));
    });
    seen_ = m_.events.size();
    return texts;
  }

  Machine m_;
  WatchTable watches_;
  std::size_t seen_ = 0;
};

TEST_F(Watches, SeeTheirNodeAndAllBelowIt) {
  Add(1, 10, "/a");
  for (const char* path : {"/a", "/a/b", "/a/b/c", "/ab", "/b"}) m_.Create(path);
  EXPECT_THAT(Deliver(), ElementsAre("1: /a 10", "1: /a/b 10", "1: /a/b/c 10"));
}

TEST_F(Watches, OfTheRootSeeEverythingTheRootToo) {
  Add(1, 1, "/");
  m_.Create("/a");
  m_.Set("/", "x");
  m_.Create("/a/b");
  EXPECT_THAT(Deliver(), ElementsAre("1: /a 1", "1: / 1", "1: /a/b 1"));
}

TEST_F(Watches, NeedNotExist) {
  EXPECT_EQ(Add(1, 1, "/x/y/z"), Code::kOk);
  m_.Create("/x");
  m_.Create("/x/y");
  m_.Create("/x/y/z");
  EXPECT_THAT(Deliver(), ElementsAre("1: /x/y/z 1"));
}

TEST_F(Watches, OneItemPerStreamHoweverManyMatch) {
  m_.Create("/a");
  Deliver();
  Add(2, 5, "/a/b", true);
  Add(2, 4, "/");
  Add(2, 9, "/a");
  Add(1, 7, "/a/b");
  m_.Create("/a/b");
  m_.Create("/a/c");
  EXPECT_THAT(Deliver(), ElementsAre("1: /a/b 7", "2: /a/b 4,5,9 data", "2: /a/c 4,9"));
}

TEST_F(Watches, GoWhenRemovedAndWithTheirStream) {
  Add(1, 1, "/a");
  Add(1, 2, "/");
  Add(2, 1, "/a");
  EXPECT_TRUE(watches_.Remove(StreamId(1), 1));
  EXPECT_FALSE(watches_.Remove(StreamId(1), 1));
  EXPECT_FALSE(watches_.Remove(StreamId(3), 1));
  m_.Create("/a");
  EXPECT_THAT(Deliver(), ElementsAre("1: /a 2", "2: /a 1"));
  watches_.RemoveStream(StreamId(1));
  watches_.RemoveStream(StreamId(1));
  m_.Set("/a", "x");
  EXPECT_THAT(Deliver(), ElementsAre("2: /a 1"));
  watches_.RemoveStream(StreamId(2));
  EXPECT_EQ(watches_.size(), 0u);
  m_.Set("/a", "y");
  EXPECT_THAT(Deliver(), IsEmpty());
}

TEST_F(Watches, BadOnesAreRefusedAndLeaveNothing) {
  EXPECT_EQ(Add(1, 1, "a"), Code::kInvalidArgument);
  EXPECT_EQ(watches_.Add(StreamId(1), 1, "/a", 0, false), Code::kInvalidArgument);
  EXPECT_EQ(watches_.Add(StreamId(1), 1, "/a", 5, false), Code::kUnimplemented);
  EXPECT_EQ(watches_.size(), 0u);
  EXPECT_EQ(Add(1, 1, "/a"), Code::kOk);
  EXPECT_EQ(Add(1, 1, "/b"), Code::kInvalidArgument) << "the id is in use";
  EXPECT_EQ(Add(2, 1, "/b"), Code::kOk) << "by another stream: fine";
  EXPECT_EQ(watches_.size(), 2u);
  EXPECT_EQ(watches_.size(StreamId(1)), 1u);
}

TEST_F(Watches, ItemOfAFrameIsTheEventWithItsWatchIds) {
  Add(1, 300, "/a", true);
  Add(1, 2, "/");
  m_.Create("/a", "data");
  std::string frame;
  watches_.Match(m_.events, [&](const Delivery& d) { AppendEventItem(*d.event, d.with_data, d.watch_ids, &frame); });
  base::WireReader items(frame);
  ASSERT_TRUE(items.Next());
  ASSERT_TRUE(items.Is(4, base::WireType::kBytes));
  base::WireReader item(items.bytes());
  ASSERT_TRUE(item.Next());
  ASSERT_TRUE(item.Is(2, base::WireType::kBytes));
  const DecodedEvent event = DecodeEvent(item.bytes());
  EXPECT_EQ(TextOf(event), "1.0 created /a 'data'");
  EXPECT_THAT(event.watch_ids, ElementsAre(2, 300));
  EXPECT_FALSE(item.Next());
  EXPECT_FALSE(items.Next());
}

TEST_F(Watches, AgreeWithANaiveTable) {
  struct Naive {
    std::string path;
    bool with_data;
    WatchKind kind;

    [[nodiscard]] bool Hears(const Event& event) const {
      const bool itself = event.path() == path;
      const bool child = event.path() != "/" && ParentOf(event.path()) == path;
      switch (kind) {
        case WatchKind::kPersistentRecursive:
          return IsAtOrBelow(event.path(), path);
        case WatchKind::kPersistent:
          return itself || (child && event.type() != EventType::kChanged);
        case WatchKind::kOnce:
          return itself;
        default:
          return itself ? event.type() == EventType::kDeleted : child && event.type() != EventType::kChanged;
      }
    }
  };
  std::map<std::uint64_t, std::map<std::uint64_t, Naive>> naive;
  base::SeededRandom random(11);
  const auto path = [&](std::uint64_t depth_max) {
    std::string p;
    for (std::uint64_t depth = random.Below(depth_max + 1); depth > 0; --depth) absl::StrAppend(&p, "/", random.Below(3));
    return p.empty() ? std::string("/") : p;
  };
  for (int round = 0; round < 5000; ++round) {
    const std::uint64_t stream = random.Below(4);
    const std::uint64_t id = random.Below(6);
    switch (random.Below(8)) {
      case 0:
      case 1: {
        const Naive watch{path(4), random.Below(2) == 0, static_cast<WatchKind>(1 + random.Below(4))};
        const bool is_new = naive[stream].try_emplace(id, watch).second;
        ASSERT_EQ(watches_.Add(StreamId(stream), id, watch.path, static_cast<std::uint32_t>(watch.kind), watch.with_data),
                  is_new ? Code::kOk : Code::kInvalidArgument);
        break;
      }
      case 2:
        ASSERT_EQ(watches_.Remove(StreamId(stream), id), naive[stream].erase(id) == 1);
        break;
      case 3:
        if (random.Below(10) != 0) break;
        watches_.RemoveStream(StreamId(stream));
        naive.erase(stream);
        break;
      default: {
        const std::uint64_t dice = random.Below(5);
        m_.Unary(dice < 2   ? EncodeDelete({}, {path(4)})
                 : dice < 4 ? EncodeCreate({}, {path(4), "", false, false, true})
                            : EncodeSet({}, {path(2), "x"}));
        std::vector<std::string> expected;
        for (std::size_t i = seen_; i < m_.events.size(); ++i) {
          for (auto& [s, watches] : naive) {
            std::vector<std::uint64_t> ids;
            bool data = false;
            for (const auto& [w, watch] : watches) {
              if (!watch.Hears(m_.events[i])) continue;
              ids.push_back(w);
              data |= watch.with_data;
            }
            for (const std::uint64_t w : ids) {
              if (HearsOnce(watches.at(w).kind)) watches.erase(w);
            }
            if (!ids.empty()) {
              expected.push_back(absl::StrCat(s, ": ", m_.events[i].path(), " ", absl::StrJoin(ids, ","), data ? " data" : ""));
            }
          }
        }
        ASSERT_EQ(Deliver(), expected);
      }
    }
    std::size_t count = 0;
    for (const auto& [s, watches] : naive) count += watches.size();
    ASSERT_EQ(watches_.size(), count);
  }
}

TEST_F(Watches, PersistentOnesHearOfTheirNodeAndOfWhichChildrenThereAre) {
  AddOf(WatchKind::kPersistent, 1, "/a");
  m_.Create("/a");
  m_.Create("/a/b");
  m_.Set("/a/b", "x");
  m_.Create("/a/b/c");
  m_.Set("/a", "x");
  m_.Delete("/a/b/c");
  m_.Delete("/a/b");
  m_.Delete("/a");
  EXPECT_THAT(Deliver(), ElementsAre("1: /a 1", "1: /a/b 1", "1: /a 1", "1: /a/b 1", "1: /a 1"));
  EXPECT_EQ(watches_.size(), 1u);
}

TEST_F(Watches, OfTheRootHearOfItsChildren) {
  AddOf(WatchKind::kPersistent, 1, "/");
  AddOf(WatchKind::kOnceChildren, 2, "/");
  m_.Set("/", "x");
  m_.Create("/a");
  m_.Create("/a/b");
  EXPECT_THAT(Deliver(), ElementsAre("1: / 1", "1: /a 1,2"));
}

TEST_F(Watches, ThoseThatHearOnceAreGoneThen) {
  for (const char* happening : {"create", "set", "delete"}) {
    if (std::string(happening) != "create") m_.Create("/a");
    (void)Deliver();
    AddOf(WatchKind::kOnce, 1, "/a");
    m_.Create("/b");
    if (std::string(happening) == "set") m_.Set("/a", "x");
    if (std::string(happening) != "set") std::string(happening) == "create" ? m_.Create("/a") : m_.Delete("/a");
    m_.Create("/a");
    m_.Set("/a", "y");
    EXPECT_THAT(Deliver(), ElementsAre("1: /a 1")) << happening;
    EXPECT_EQ(watches_.size(), 0u);
    EXPECT_EQ(watches_.size(StreamId(1)), 0u);
    m_.Delete("/a");
    m_.Delete("/b");
  }
}

TEST_F(Watches, OfChildrenHearOnceOfOneOrOfTheEnd) {
  m_.Create("/a");
  m_.Create("/a/b");
  (void)Deliver();
  AddOf(WatchKind::kOnceChildren, 1, "/a");
  m_.Set("/a", "x");
  m_.Set("/a/b", "x");
  m_.Create("/a/b/c");
  m_.Create("/a/d");
  m_.Create("/a/e");
  EXPECT_THAT(Deliver(), ElementsAre("1: /a/d 1"));
  AddOf(WatchKind::kOnceChildren, 2, "/a");
  TransactionBuilder all;
  all.ThenDeleteSubtree({"/a"});
  m_.Unary(all.Encode({}));
  EXPECT_THAT(Deliver(), ElementsAre("1: /a/e 2")) << "one event, whatever else the transaction did";
  m_.Create("/a");
  AddOf(WatchKind::kOnceChildren, 3, "/a");
  m_.Delete("/a");
  EXPECT_EQ(Deliver().back(), "1: /a 3");
  EXPECT_EQ(watches_.size(), 0u);
}

TEST_F(Watches, SeveralKindsOfOneStreamAreOneDelivery) {
  AddOf(WatchKind::kOnce, 1, "/a");
  AddOf(WatchKind::kPersistent, 2, "/a");
  AddOf(WatchKind::kPersistentRecursive, 3, "/");
  m_.Create("/a");
  m_.Set("/a", "x");
  EXPECT_THAT(Deliver(), ElementsAre("1: /a 1,2,3", "1: /a 2,3"));
}

}  // namespace
}  // namespace drover::coord::tree
