// Histories of a simulated tree with random latencies, true ones and falsified ones; small ones are compared with brute force.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "coord/base/random.h"
#include "tests/sim/check/linearizability.h"

namespace drover::sim::check {
namespace {

// The same semantics as the checker's model, written again in the plainest way.
struct PlainTree {
  struct Node {
    std::string data;
    std::uint32_t version = 0;
    base::SessionId owner;
  };
  std::map<std::string, Node> nodes;

  template <typename Write>
  Code Perform(const Write& write, Result* result) {
    const auto at = nodes.find(write.path);
    if (write.kind == Kind::kCreate) {
      if (at != nodes.end()) return Code::kNodeExists;
      nodes[write.path] = {write.data, 0, write.owner};
      result->version = 0;
      return Code::kOk;
    }
    if (at == nodes.end()) return Code::kNoNode;
    if (write.expected_version && *write.expected_version != at->second.version) return Code::kBadVersion;
    if (write.kind == Kind::kDelete) {
      nodes.erase(at);
      return Code::kOk;
    }
    if (write.kind == Kind::kSet) {
      at->second.data = write.data;
      ++at->second.version;
    } else if (write.kind == Kind::kGet) {
      result->data = at->second.data;
    }
    result->version = at->second.version;
    return Code::kOk;
  }

  Result Execute(const Operation& o) {
    Result result;
    if (o.kind == Kind::kChildren) {
      for (const auto& [path, node] : nodes) result.names.push_back(path.substr(path.rfind('/') + 1));
    } else if (o.kind == Kind::kEndSession) {
      for (auto at = nodes.begin(); at != nodes.end();) at = at->second.owner == o.owner ? nodes.erase(at) : std::next(at);
    } else if (o.kind == Kind::kTransaction) {
      for (const Compare& compare : o.compares) {
        const auto at = nodes.find(compare.path);
        const bool exists = at != nodes.end();
        if (compare.field == Compare::Field::kExists ? exists != (compare.equals == 1)
                                                     : !exists || at->second.version != compare.equals)
          result.succeeded = false;
      }
      const std::map<std::string, Node> before = nodes;
      for (const Change& change : result.succeeded ? o.then : o.otherwise) {
        Result ignored;
        result.code = Perform(change, &ignored);
        if (result.code == Code::kOk) continue;
        nodes = before;
        break;
      }
    } else {
      result.code = Perform(o, &result);
    }
    return result;
  }
};

bool Agree(const Operation& o, const Result& now) {
  if (!o.returned) return true;
  const Result& told = o.result;
  if (told.code != now.code) return false;
  if (o.kind == Kind::kTransaction) return told.code != Code::kOk || told.succeeded == now.succeeded;
  if (told.version && told.version != now.version) return false;
  return told.data == now.data && told.names == now.names;
}

bool BruteForce(const std::vector<Operation>& history, const PlainTree& tree, std::uint32_t placed) {
  bool all = true;
  for (std::size_t i = 0; i < history.size(); ++i) {
    if ((placed >> i & 1) == 0 && history[i].returned) all = false;
  }
  if (all) return true;
  for (std::size_t i = 0; i < history.size(); ++i) {
    if ((placed >> i & 1) != 0) continue;
    bool first = true;
    for (std::size_t k = 0; k < history.size(); ++k) {
      if ((placed >> k & 1) == 0 && history[k].returned && *history[k].returned < history[i].invoked) first = false;
    }
    if (!first) continue;
    PlainTree next = tree;
    const Result now = next.Execute(history[i]);
    if (!history[i].returned && now.code != Code::kOk) continue;
    if (Agree(history[i], now) && BruteForce(history, next, placed | 1U << i)) return true;
  }
  return false;
}

struct Shape {
  std::size_t operations = 0;
  std::size_t clients = 3;
  std::size_t nodes = 2;
  bool ties = true;             // lists of children and transactions over two nodes
  bool zxids = true;            // answers carry them
  std::uint64_t lost_ppm = 0;   // answers that never come
  std::uint64_t false_ppm = 0;  // chance of each falsification
};

// Clients one step at a time, in random order: call, effect, return.
class Generator {
 public:
  Generator(std::uint64_t seed, const Shape& shape) : random_(seed), shape_(shape), clients_(shape.clients) {}

  std::vector<Operation> Run() {
    while (history_.size() < shape_.operations) Step();
    return history_;
  }

 private:
  struct Client {
    std::size_t operation = 0;
    enum class At { kIdle, kCalled, kDone } at = At::kIdle;
    Result result;
  };

  bool Chance(std::uint64_t ppm) { return random_.Below(1'000'000) < ppm; }
  std::string Path() { return "/p/" + std::string(1, static_cast<char>('a' + random_.Below(shape_.nodes))); }
  std::string Data() { return random_.Below(4) == 0 ? "same" : std::to_string(++data_); }
  std::optional<std::uint32_t> MaybeVersion() {
    if (random_.Below(3) != 0) return std::nullopt;
    return static_cast<std::uint32_t>(random_.Below(3));
  }

  Operation Draw() {
    Operation o;
    o.client = ++client_;
    const std::uint64_t pick = random_.Below(100);
    o.path = Path();
    if (pick < 15) {
      o.kind = Kind::kCreate;
      o.data = Data();
      if (random_.Below(4) == 0) o.owner = base::SessionId(1 + random_.Below(2));
    } else if (pick < 25) {
      o.kind = Kind::kDelete;
      o.expected_version = MaybeVersion();
    } else if (pick < 50) {
      o.kind = Kind::kSet;
      o.data = Data();
      o.expected_version = MaybeVersion();
    } else if (pick < 80) {
      o.kind = Kind::kGet;
    } else if (pick < 88) {
      o.kind = Kind::kExists;
    } else if (pick < 90) {
      o.kind = Kind::kEndSession;
      o.path.clear();
      o.owner = base::SessionId(1 + random_.Below(2));
    } else if (pick < 94 && shape_.ties) {
      o.kind = Kind::kChildren;
      o.path = "/p";
    } else {
      o.kind = Kind::kTransaction;
      const std::string other = shape_.ties ? Path() : o.path;
      o.compares.push_back({o.path, random_.Below(2) == 0 ? Compare::Field::kExists : Compare::Field::kVersion, random_.Below(2)});
      o.then.push_back({Kind::kSet, o.path, Data(), {}, {}});
      o.then.push_back({Kind::kSet, other, Data(), {}, {}});
      o.otherwise.push_back({Kind::kCreate, other, Data(), {}, {}});
      o.path.clear();
    }
    return o;
  }

  void Step() {
    Client& client = clients_[random_.Below(clients_.size())];
    if (!late_.empty() && random_.Below(10) == 0) {  // an unknown write that comes through after all
      (void)tree_.Execute(late_.back());
      late_.pop_back();
      ++zxid_;
    }
    switch (client.at) {
      case Client::At::kIdle:
        client.operation = history_.size();
        history_.push_back(Draw());
        history_.back().invoked = ++stamp_;
        client.at = Client::At::kCalled;
        return;
      case Client::At::kCalled: {
        Operation& o = history_[client.operation];
        if (Chance(shape_.lost_ppm)) {  // never answered; and then?
          if (!IsRead(o.kind) && random_.Below(2) == 0) late_.push_back(o);
          client.at = Client::At::kIdle;
          return;
        }
        PlainTree* tree = &tree_;
        PlainTree aside = Chance(shape_.false_ppm) && IsRead(o.kind) ? older_ : tree_;
        if (Chance(shape_.false_ppm)) tree = &aside;  // a stale read, or a write that is lost
        client.result = tree->Execute(o);
        if (Chance(shape_.false_ppm)) (void)tree->Execute(o);  // applied twice
        if (shape_.zxids) o.zxid = base::Zxid(!IsRead(o.kind) && client.result.code == Code::kOk ? ++zxid_ : zxid_);
        if (random_.Below(4) == 0) older_ = tree_;
        client.at = Client::At::kDone;
        return;
      }
      case Client::At::kDone: {
        Operation& o = history_[client.operation];
        o.returned = ++stamp_;
        o.result = client.result;
        client.at = Client::At::kIdle;
        return;
      }
    }
  }

  base::SeededRandom random_;
  const Shape shape_;
  std::vector<Client> clients_;
  PlainTree tree_;
  PlainTree older_;
  std::vector<Operation> late_;
  std::vector<Operation> history_;
  Stamp stamp_ = 0;
  std::uint64_t zxid_ = 0;
  std::uint64_t data_ = 0;
  std::uint64_t client_ = 0;
};

TEST(RandomHistories, SmallOnesAreJudgedAsByBruteForce) {
  int good = 0;
  int bad = 0;
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    const Shape shape{.operations = 4 + seed % 7,
                      .clients = 2 + seed % 3,
                      .nodes = 1 + seed % 2,
                      .ties = seed % 4 == 0,
                      .zxids = seed % 3 != 0,
                      .lost_ppm = 100'000,
                      .false_ppm = seed % 2 == 0 ? 300'000U : 0U};
    const std::vector<Operation> history = Generator(seed, shape).Run();
    const bool possible = BruteForce(history, {}, 0);
    (possible ? good : bad)++;
    const LinearizabilityReport report = CheckLinearizability(history);
    // Without ties each node is judged on its own; brute force judges all at once, and both must agree.
    std::string text;
    if (possible != (report.verdict == Verdict::kLinearizable)) {
      std::ostringstream os;
      for (const Operation& o : history) os << o << "\n";
      text = os.str();
    }
    ASSERT_EQ(report.verdict, possible ? Verdict::kLinearizable : Verdict::kViolated) << "seed " << seed << "\n" << text;
    if (shape.false_ppm == 0) {
      ASSERT_TRUE(possible) << "seed " << seed;
    }
  }
  EXPECT_GT(good, 10'000);
  EXPECT_GT(bad, 1'000);
}

TEST(RandomHistories, LongTrueOnesPass) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const Shape shape{.operations = 3'000,
                      .clients = 4 + 4 * (seed % 4),
                      .nodes = seed % 2 == 0 ? 20U : 3U,
                      .ties = seed % 4 < 2,
                      .zxids = true,
                      .lost_ppm = 3'000};
    const LinearizabilityReport report = CheckLinearizability(Generator(seed, shape).Run());
    EXPECT_EQ(report.verdict, Verdict::kLinearizable) << "seed " << seed << ": " << report.explanation;
  }
}

TEST(RandomHistories, LongFalseOnesFail) {
  int found = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const Shape shape{.operations = 1'000,
                      .clients = 6,
                      .nodes = 4,
                      .ties = seed % 2 == 0,
                      .zxids = true,
                      .lost_ppm = 1'000,
                      .false_ppm = 20'000};
    const LinearizabilityReport report = CheckLinearizability(Generator(seed, shape).Run());
    EXPECT_NE(report.verdict, Verdict::kLinearizable) << "seed " << seed;
    if (report.verdict == Verdict::kViolated) ++found;
  }
  EXPECT_EQ(found, 8);
}

TEST(RandomHistories, TheSameHistoryGivesTheSameReport) {
  const Shape shape{.operations = 500, .clients = 6, .nodes = 4, .lost_ppm = 1'000, .false_ppm = 20'000};
  const LinearizabilityReport once = CheckLinearizability(Generator(3, shape).Run());
  const LinearizabilityReport again = CheckLinearizability(Generator(3, shape).Run());
  EXPECT_EQ(once.explanation, again.explanation);
  EXPECT_EQ(once.configurations, again.configurations);
}

}  // namespace
}  // namespace drover::sim::check
