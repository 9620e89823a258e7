// An ObjectStore that, while told to, answers nothing: as a network file system whose server is away.
#ifndef DROVER_TESTS_CLIENT_STORE_HANGING_STORE_H_
#define DROVER_TESTS_CLIENT_STORE_HANGING_STORE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "client/store/memory_store.h"

namespace drover::store {

// What the stores of a test share.
struct Hang {
  bool now = false;                              // puts and gets are not begun
  bool answers = false;                          // what gets found is not told yet
  bool lists = false;                            // what lists found is not told yet
  std::vector<absl::AnyInvocable<void()>> kept;  // calls that wait for LetGo

  void LetGo() {
    now = answers = lists = false;
    for (auto& call : std::exchange(kept, {})) call();
  }
};

class HangingStore final : public ObjectStore {
 public:
  HangingStore(base::Loop* loop, MemoryObjects* objects, Hang* hang) : memory_(loop, objects), hang_(hang) {}

  void Put(std::string key, base::Bytes data, Done<ObjectRef> done) override {
    Call([this, key = std::move(key), data = std::move(data), done = std::move(done)]() mutable {
      memory_.Put(std::move(key), std::move(data), std::move(done));
    });
  }
  void Get(std::string key, Range range, Done<GetResult> done) override {
    if (hang_->answers) {
      return memory_.Get(std::move(key), range, [hang = hang_, done = std::move(done)](absl::StatusOr<GetResult> got) mutable {
        hang->kept.push_back([done = std::move(done), got = std::move(got)]() mutable { done(std::move(got)); });
      });
    }
    Call([this, key = std::move(key), range, done = std::move(done)]() mutable {
      memory_.Get(std::move(key), range, std::move(done));
    });
  }
  void List(std::string prefix, std::string after, std::size_t limit, Done<ListPage> done) override {
    if (!hang_->lists) return memory_.List(std::move(prefix), std::move(after), limit, std::move(done));
    memory_.List(std::move(prefix), std::move(after), limit,
                 [hang = hang_, done = std::move(done)](absl::StatusOr<ListPage> page) mutable {
                   hang->kept.push_back([done = std::move(done), page = std::move(page)]() mutable { done(std::move(page)); });
                 });
  }
  void Delete(std::vector<std::string> keys, DoneStatus done) override { memory_.Delete(std::move(keys), std::move(done)); }

 private:
  void Call(absl::AnyInvocable<void()> call) {
    if (hang_->now) return hang_->kept.push_back(std::move(call));
    call();
  }

  MemoryStore memory_;
  Hang* const hang_;
};

}  // namespace drover::store

#endif  // DROVER_TESTS_CLIENT_STORE_HANGING_STORE_H_
