// Random sequences of operations, from a seed and from what was answered: names are few, so that sessions meet; paths and versions
// are mostly ones that the answers have shown, so that much succeeds; the rest is wrong in every way there is.
//
// Pure: the same seed and answers give the same operations. Threads: one.
#ifndef DROVER_TESTS_ORACLE_GENERATOR_H_
#define DROVER_TESTS_ORACLE_GENERATOR_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "coord/base/random.h"
#include "tests/oracle/answer.h"
#include "tests/oracle/operation.h"

namespace drover::oracle {

class Generator {
 public:
  Generator(std::uint64_t seed, int sessions);

  // What one session asks before it waits for answers: mostly one operation. A slot without a session is opened when its turn
  // comes; a session is synced before it ends.
  [[nodiscard]] std::vector<Operation> Next();
  // What was answered to `operation`, by the system whose answers count.
  void Told(const Operation& operation, const Answer& answer);

  [[nodiscard]] bool open(int session) const { return slots_[static_cast<std::size_t>(session)].open; }
  // Nodes that are believed to exist.
  [[nodiscard]] std::size_t nodes() const { return known_.size(); }

 private:
  struct Slot {
    bool open = false;
    std::optional<Kind> ending;  // how it ends when its turn comes again
    bool super = false;          // it has proved to be who may do everything
    std::set<std::string> watched;
  };

  [[nodiscard]] bool OneIn(std::uint64_t n) { return random_.Below(n) == 0; }
  [[nodiscard]] Operation NextOf(int session);
  // Of a session that is open, and does not end with it.
  [[nodiscard]] Operation Ask(int session);
  [[nodiscard]] Operation Make(Kind kind);
  [[nodiscard]] Operation MakeWatch(int session);
  [[nodiscard]] Acl MakeAcl(bool may_be_empty);
  [[nodiscard]] Operation MakeMulti();
  [[nodiscard]] Operation MakePart(const std::string& about);
  void MakeCreate(Operation* o);
  [[nodiscard]] std::string Name();
  // By letters alone, whether or not it exists.
  [[nodiscard]] std::string Guess();
  // One that is believed to exist, or a guess.
  [[nodiscard]] std::string Existing();
  [[nodiscard]] std::string Deepest() const;
  // It, or what is believed to lie deepest below it.
  [[nodiscard]] std::string LeafBelow(const std::string& path) const;
  [[nodiscard]] std::int32_t VersionOf(const std::string& path);
  [[nodiscard]] std::optional<std::string> Data();

  void Learn(const std::string& path, std::int32_t version) { known_[path] = version; }
  void Forget(const std::string& path);

  base::SeededRandom random_;
  const std::uint64_t sessions_;
  const bool lists_;                           // the run has access control lists
  std::vector<Slot> slots_;                    // one more: of whoever looks at everything now and then
  std::map<std::string, std::int32_t> known_;  // by path, the newest version seen
};

}  // namespace drover::oracle

#endif  // DROVER_TESTS_ORACLE_GENERATOR_H_
