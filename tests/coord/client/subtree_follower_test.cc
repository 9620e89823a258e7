// Views of a subtree, against the real node in simulation.
#include "coord/client/subtree_follower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/coord/client/sim_process.h"

namespace drover::coord {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using View = std::map<std::string, std::string>;  // path to data

// Builds a view of its own from what it hears and keeps a copy of every state that it was told is complete.
struct Viewer final : SubtreeListener {
  void OnReset(ResetCause cause) override {
    resets.push_back(cause);
    view.clear();
    reading = true;
  }
  void OnNode(const Node& node, Zxid /*zxid*/) override {
    EXPECT_TRUE(view.emplace(node.path, node.data).second) << node.path << " was shown twice";
  }
  void OnEvent(const Event& event) override {
    if (event.type == Event::Type::kDeleted) {
      const bool was_there = view.erase(event.path) == 1;
      EXPECT_TRUE(was_there || reading) << event.path << " was deleted twice";
      return;
    }
    const bool is_new = view.insert_or_assign(event.path, event.data).second;
    EXPECT_EQ(is_new, event.type == Event::Type::kCreated) << event.path;
  }
  void OnSynced(Zxid zxid) override {
    reading = false;
    states[zxid] = view;
  }
  void OnProgress(Zxid zxid) override {
    EXPECT_FALSE(reading);
    states[zxid] = view;
  }
  void OnEnded(const absl::Status& why) override { ended = why; }

  View view;
  bool reading = false;
  std::vector<ResetCause> resets;
  std::map<Zxid, View> states;
  absl::Status ended;
};

TEST(SubtreeFollowerTest, ShowsWhatIsThereThenWhatChanges) {
  server::SimCore core;
  core.Start();
  SimProcess writer(&core, "writer");
  ASSERT_TRUE(writer.Create("/a/b", "1").ok());
  ASSERT_TRUE(writer.Create("/a-b", "not below").ok());
  SimProcess reader(&core, "reader");
  Viewer viewer;
  auto follower = SubtreeFollower::Start(reader.session(), {.path = "/a"}, &viewer);
  ASSERT_TRUE(reader.RunUntil([&] { return follower->synced(); }));
  EXPECT_EQ(viewer.view, (View{{"/a", ""}, {"/a/b", "1"}}));
  EXPECT_THAT(viewer.resets, ElementsAre(ResetCause::kFirst));

  ASSERT_TRUE(writer.Set("/a/b", "2").ok());
  ASSERT_TRUE(writer.Create("/a/c", "3").ok());
  const absl::StatusOr<DeleteResult> deleted = writer.Delete("/a/b");
  ASSERT_TRUE(deleted.ok());
  ASSERT_TRUE(reader.RunUntil([&] { return follower->zxid() >= deleted->zxid; }));
  EXPECT_EQ(viewer.view, (View{{"/a", ""}, {"/a/c", "3"}}));
}

TEST(SubtreeFollowerTest, ASubtreeThatIsNotThereYetIsEmptyAndGrows) {
  server::SimCore core;
  core.Start();
  SimProcess process(&core, "p");
  SubtreeCache cache(process.session(), {.path = "/x/y"}, nullptr);
  ASSERT_TRUE(process.RunUntil([&] { return cache.synced(); }));
  EXPECT_THAT(cache.nodes(), IsEmpty());
  ASSERT_TRUE(process.Create("/x/y/z", "1").ok());
  ASSERT_NE(cache.Find("/x/y"), nullptr);
  EXPECT_EQ(cache.Find("/x/y/z")->data, "1");
}

TEST(SubtreeFollowerTest, ASyncBringsTheViewUpToNow) {
  server::SimCore core;
  core.Start();
  SimProcess writer(&core, "writer");
  SimProcess reader(&core, "reader");
  SubtreeCache cache(reader.session(), {.path = "/a"}, nullptr);
  ASSERT_TRUE(reader.RunUntil([&] { return cache.synced(); }));
  const absl::StatusOr<CreateResult> made = writer.Create("/elsewhere", "");
  ASSERT_TRUE(made.ok());
  bool done = false;
  reader.session()->Sync([&](absl::StatusOr<Zxid> zxid) {
    done = true;
    ASSERT_TRUE(zxid.ok());
    EXPECT_GE(*zxid, made->zxid);
    EXPECT_GE(cache.zxid(), *zxid);
  });
  ASSERT_TRUE(reader.RunUntil([&] { return done; }));
}

TEST(SubtreeFollowerTest, HearsOfTheEndOfItsSession) {
  server::SimCore core;
  core.Start();
  SimProcess process(&core, "p");
  Viewer viewer;
  auto follower = SubtreeFollower::Start(process.session(), {.path = "/"}, &viewer);
  ASSERT_TRUE(process.RunUntil([&] { return follower->synced(); }));
  process.session()->Close([](const absl::Status&) {});
  ASSERT_TRUE(process.RunUntil([&] { return !viewer.ended.ok(); }));
  EXPECT_TRUE(IsSessionExpired(viewer.ended));
}

// A session whose watch and pages the test plays by hand: in orders that a service may produce and rarely does.
struct PlayedSession final : Session {
  explicit PlayedSession(base::Loop* loop) : loop_(loop) {}
  [[nodiscard]] base::Loop* loop() const override { return loop_; }
  void AddObserver(SessionObserver* /*observer*/) override {}
  void RemoveObserver(SessionObserver* /*observer*/) override {}
  [[nodiscard]] SessionState state() const override { return SessionState::kConnected; }
  [[nodiscard]] SessionId id() const override { return {}; }
  [[nodiscard]] std::optional<SessionTicket> ticket() const override { return std::nullopt; }
  [[nodiscard]] base::Duration timeout() const override { return seconds(6); }
  [[nodiscard]] base::Instant lease_deadline() const override { return {}; }
  [[nodiscard]] base::WallTime cluster_time() const override { return {}; }
  [[nodiscard]] base::Instant cluster_time_heard_at() const override { return {}; }
  [[nodiscard]] const absl::Status& last_break() const override { return ok; }
  [[nodiscard]] Zxid seen_zxid() const override { return {}; }
  void Create(std::string, std::string, CreateOptions, Callback<CreateResult>, WriteOptions) override {}
  void Set(std::string, std::string, std::optional<std::uint32_t>, Callback<SetResult>, WriteOptions) override {}
  void Delete(std::string, std::optional<std::uint32_t>, Callback<DeleteResult>, WriteOptions) override {}
  [[nodiscard]] std::uint32_t feature_level() const override { return 1; }
  void DeleteSubtree(std::string, std::optional<std::uint32_t>, Callback<DeleteSubtreeResult>, WriteOptions) override {}
  void MultiRead(std::vector<ReadOperation>, Callback<MultiReadResult>, ReadOptions) override {}
  void CountDescendants(std::string, Callback<CountResult>, ReadOptions) override {}
  void Ephemerals(SessionId, std::string, AfterNode, std::uint32_t, Callback<ListPage>, ReadOptions) override {}
  void Commit(Transaction, Callback<TransactionResult>, WriteOptions) override {}
  void SetAcl(std::string, Acl, std::optional<std::uint32_t>, Callback<SetResult>, WriteOptions) override {}
  void SetQuota(std::string, Quota, Callback<Zxid>, WriteOptions) override {}
  void Authenticate(Credential, Callback<Zxid>, WriteOptions) override {}
  void GetAcl(std::string, Callback<AclResult>, ReadOptions) override {}
  void Quotas(std::string, AfterNode, std::uint32_t, Callback<QuotasPage>, ReadOptions) override {}
  void WhoAmI(Callback<IdentitiesResult>, ReadOptions) override {}
  void Sessions(SessionId, std::uint32_t, Callback<SessionsPage>, ReadOptions) override {}
  void Get(std::string, Callback<GetResult>, ReadOptions) override {}
  void Exists(std::string, Callback<ExistsResult>, ReadOptions) override {}
  void Children(std::string, std::string, std::uint32_t, Callback<ChildrenPage>, ReadOptions) override {}
  void ListWithoutData(std::string, std::string, std::uint32_t, Callback<ListPage>, ReadOptions) override {}
  void Sync(Callback<Zxid>, ReadOptions) override {}
  void Close(DoneCallback) override {}
  void List(std::string, std::string after, std::uint32_t, Callback<ListPage> done, ReadOptions) override {
    asked_after.push_back(after);
    pages.push_back(std::move(done));
  }
  WatchId Watch(std::string, WatchOptions, WatchListener* listener) override {
    watch = listener;
    return WatchId(++watches);
  }
  void Unwatch(WatchId) override { watch = nullptr; }

  // Answers the oldest page that was asked for.
  void Answer(absl::StatusOr<ListPage> page) {
    Callback<ListPage> done = std::move(pages.front());
    pages.erase(pages.begin());
    done(std::move(page));
  }
  void Page(std::uint64_t zxid, std::vector<std::string> paths, bool more) {
    ListPage page{{}, more, Zxid(zxid)};
    for (const std::string& path : paths) page.nodes.push_back({path, {}, absl::StrCat("read at ", zxid)});
    Answer(std::move(page));
  }
  void Change(std::uint64_t zxid, std::string path, Event::Type type = Event::Type::kChanged) const {
    watch->OnEvent({Zxid(zxid), 0, type, std::move(path), {}, absl::StrCat("event ", zxid)});
  }

  base::Loop* const loop_;
  const absl::Status ok;
  WatchListener* watch = nullptr;
  std::uint64_t watches = 0;
  std::vector<std::string> asked_after;
  std::vector<Callback<ListPage>> pages;
};

class PlayedFollowerTest : public ::testing::Test {
 protected:
  PlayedFollowerTest() : follower_(SubtreeFollower::Start(&session_, {.path = "/r"}, &viewer_)) {
    session_.watch->OnArmed(Zxid(10));
  }

  sim::SimWorld world_{1};
  sim::SimLoop loop_{&world_};
  PlayedSession session_{&loop_};
  Viewer viewer_;
  std::unique_ptr<SubtreeFollower> follower_;
};

TEST_F(PlayedFollowerTest, AnEventCountsForAPathOnlyIfNewerThanItsPage) {
  session_.Page(20, {"/r", "/r/a", "/r/b"}, true);
  session_.Change(15, "/r/a");  // in the page already
  session_.Change(21, "/r/b");
  session_.Change(22, "/r/c");  // will be in a page still to come
  session_.Page(25, {"/r/c"}, false);
  session_.Change(24, "/r/z", Event::Type::kCreated);  // behind the last path: the last page would have shown it
  session_.watch->OnProgress(Zxid(25));
  EXPECT_THAT(session_.asked_after, ElementsAre("", "/r/b"));
  EXPECT_EQ(viewer_.view, (View{{"/r", "read at 20"}, {"/r/a", "read at 20"}, {"/r/b", "event 21"}, {"/r/c", "read at 25"}}));
  EXPECT_TRUE(follower_->synced());
}

TEST_F(PlayedFollowerTest, TheViewIsCompleteOnlyWhenEventsHaveReachedTheNewestPage) {
  session_.Page(20, {"/r"}, true);
  session_.Page(30, {"/r/a"}, false);
  EXPECT_FALSE(follower_->synced()) << "changes of /r up to 30 may be missing";
  session_.Change(28, "/r");
  session_.watch->OnProgress(Zxid(29));
  EXPECT_FALSE(follower_->synced());
  session_.watch->OnProgress(Zxid(30));
  EXPECT_TRUE(follower_->synced());
  EXPECT_EQ(follower_->zxid(), Zxid(30));
  EXPECT_EQ(viewer_.view["/r"], "event 28");
}

TEST_F(PlayedFollowerTest, APageOlderThanWhatWasLeftToItIsReadAgain) {
  session_.Page(9, {"/r"}, false);
  EXPECT_THAT(viewer_.view, IsEmpty()) << "older than the watch";
  session_.Change(14, "/r/a");
  session_.Page(13, {"/r"}, false);
  EXPECT_THAT(viewer_.view, IsEmpty()) << "older than an event that was left to it";
  session_.watch->OnProgress(Zxid(14));
  session_.Page(14, {"/r", "/r/a"}, false);
  EXPECT_TRUE(follower_->synced());
  EXPECT_EQ(viewer_.view.size(), 2U);
}

TEST_F(PlayedFollowerTest, APageOfAReadingThatWasGivenUpCountsForNothing) {
  session_.watch->OnCompacted();
  session_.watch->OnArmed(Zxid(40));
  ASSERT_EQ(session_.pages.size(), 2U);
  session_.Page(20, {"/r", "/r/old"}, false);
  EXPECT_THAT(viewer_.view, IsEmpty());
  session_.Page(41, {"/r"}, false);
  session_.watch->OnProgress(Zxid(41));
  EXPECT_TRUE(follower_->synced());
  EXPECT_EQ(viewer_.view.size(), 1U);
  EXPECT_THAT(viewer_.resets, ElementsAre(ResetCause::kFirst, ResetCause::kCompacted));
}

TEST_F(PlayedFollowerTest, APageThatIsRefusedForTheMomentIsAskedForAgainLater) {
  session_.Answer(RefusedError(Code::kUnavailable, "no quorum"));
  EXPECT_TRUE(session_.pages.empty());
  world_.RunFor(milliseconds(200));
  ASSERT_EQ(session_.pages.size(), 1U);
  session_.Page(10, {"/r"}, false);
  EXPECT_TRUE(follower_->synced());
}

// Writers change a subtree at random while followers read it in small pages, links are reset, the core is killed and started again,
// and its history is so short that watches are compacted. Every state that a follower calls complete is the state of that zxid.
class SubtreeModelTest : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(SubtreeModelTest, EveryCompleteStateIsTheStateOfItsZxid) {
  server::SimCore core(GetParam());
  core.options.history.bytes_max = GetParam() % 3 == 0 ? 2000 : 1 << 20;
  core.Start();
  base::SeededRandom random(GetParam());
  SimProcess writer(&core, "writer");
  std::vector<std::unique_ptr<SimProcess>> readers;
  std::vector<std::unique_ptr<Viewer>> viewers;
  std::vector<std::unique_ptr<SubtreeFollower>> followers;
  // What the answers to the writer say happened, by zxid; the base of the model.
  std::map<Zxid, std::pair<std::string, std::optional<std::string>>> changes;
  ASSERT_TRUE(writer.RunUntil([&] { return writer.session()->state() == SessionState::kConnected; }));

  const auto write = [&] {
    const std::string path = absl::StrCat("/r/", std::string(1, static_cast<char>('a' + random.Below(12))));
    const std::string data = absl::StrCat(random.Below(1000));
    switch (random.Below(3)) {
      case 0:
        writer.session()->Create(path, data, {}, [&changes, path, data](absl::StatusOr<CreateResult> r) {
          if (r.ok()) changes[r->zxid] = {path, data};
        });
        break;
      case 1:
        writer.session()->Set(path, data, std::nullopt, [&changes, path, data](absl::StatusOr<SetResult> r) {
          if (r.ok()) changes[r->zxid] = {path, data};
        });
        break;
      default:
        writer.session()->Delete(path, std::nullopt, [&changes, path](absl::StatusOr<DeleteResult> r) {
          if (r.ok()) changes[r->zxid] = {path, std::nullopt};
        });
    }
  };
  const absl::StatusOr<CreateResult> root = writer.Create("/r", "");
  ASSERT_TRUE(root.ok());
  changes[root->zxid] = {"/r", ""};

  for (int step = 0; step < 400; ++step) {
    for (std::uint64_t n = random.Below(6); n > 0; --n) write();
    if (step % 80 == 10) {
      readers.push_back(std::make_unique<SimProcess>(&core, absl::StrCat("reader", step)));
      viewers.push_back(std::make_unique<Viewer>());
      followers.push_back(SubtreeFollower::Start(readers.back()->session(),
                                                 {.path = "/r", .page_nodes = 1 + static_cast<std::uint32_t>(random.Below(3))},
                                                 viewers.back().get()));
    }
    if (random.Below(20) == 0 && !readers.empty()) {
      core.network.Reset(readers[random.Below(readers.size())]->host(), server::SimCore::kHost);
    }
    if (random.Below(60) == 0) core.network.Reset("writer", server::SimCore::kHost);
    if (random.Below(100) == 0) {
      core.Crash(sim::Survival::kEverything);
      core.Start();
    }
    core.world.RunFor(milliseconds(random.Below(3)));
  }
  Zxid end;
  bool synced = false;
  writer.session()->Sync([&](absl::StatusOr<Zxid> zxid) {
    ASSERT_TRUE(zxid.ok()) << zxid.status();
    end = *zxid;
    synced = true;
  });
  ASSERT_TRUE(writer.RunUntil([&] { return synced; }));
  for (auto& follower : followers) ASSERT_TRUE(writer.RunUntil([&] { return follower->zxid() >= end; }));

  std::map<Zxid, View> model;
  View now;
  for (const auto& [zxid, change] : changes) {
    if (change.second.has_value()) {
      now[change.first] = *change.second;
    } else {
      now.erase(change.first);
    }
    model[zxid] = now;
  }
  std::size_t compactions = 0;
  for (auto& viewer : viewers) {
    EXPECT_GE(viewer->states.size(), 10U);
    compactions += viewer->resets.size() - 1;
    for (const auto& [zxid, view] : viewer->states) {
      const auto after = model.upper_bound(zxid);
      const View expected = after == model.begin() ? View() : std::prev(after)->second;
      ASSERT_EQ(view, expected) << "at zxid " << zxid;
    }
  }
  RecordProperty("compactions", static_cast<int>(compactions));
  followers.clear();
}

INSTANTIATE_TEST_SUITE_P(Seeds, SubtreeModelTest, ::testing::Range<std::uint64_t>(1, 25));

TEST(SubtreeFollowerTest, AfterCompactionItReadsAnew) {
  server::SimCore core;
  core.options.history.bytes_max = 500;
  core.Start();
  SimProcess writer(&core, "writer");
  SimProcess reader(&core, "reader");
  Viewer viewer;
  auto follower = SubtreeFollower::Start(reader.session(), {.path = "/r"}, &viewer);
  ASSERT_TRUE(reader.RunUntil([&] { return follower->synced(); }));
  core.network.CutPair("reader", server::SimCore::kHost);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(writer.Create(absl::StrCat("/r/", i), "x").ok());
  ASSERT_TRUE(writer.Delete("/r/7").ok());
  core.network.HealAll();
  core.network.Reset("reader", server::SimCore::kHost);
  ASSERT_TRUE(reader.RunUntil([&] { return follower->synced() && viewer.view.size() == 20; }));
  EXPECT_THAT(viewer.resets, ElementsAre(ResetCause::kFirst, ResetCause::kCompacted));
  EXPECT_EQ(viewer.view.count("/r/7"), 0U);
}

}  // namespace
}  // namespace drover::coord
