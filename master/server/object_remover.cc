#include "master/server/object_remover.h"

#include <utility>

#include "client/store/names.h"
#include "master/records/task_id.h"

namespace drover::master::server {

bool MayHaveObjects(const worker::v1::TaskRecord& record) {
  if (record.has_program_object() || record.attempts_total() > 1 || record.reruns() > 0) return true;
  const worker::v1::Output& output = record.output();
  if (output.out().chunks() + output.err().chunks() + output.result().chunks() > 0) return true;
  // An attempt that ended without an outcome of its own may have written some.
  const bool ran = record.attempts_total() == 1 && !record.has_output();
  task::v1::Program program;
  return ran || !program.ParseFromString(record.program()) || program.has_stdin_object();
}

void ObjectRemover::Remove(const std::string& task, const worker::v1::TaskRecord& record) {
  if (store_->store() == nullptr || !MayHaveObjects(record)) return;
  if (prefixes_.size() + 2 > kQueueMax) {
    ++left_behind_;
    return;
  }
  prefixes_.push_back(store::OutputsOf(task));
  // An element's are its array's.
  if (!records::ParseElement(task).has_value()) prefixes_.push_back(store::InputsOf(task));
  Next();
}

void ObjectRemover::Next() {
  while (under_way_ < kUnderWayMax && !prefixes_.empty()) {
    ++under_way_;
    std::string prefix = std::move(prefixes_.front());
    prefixes_.pop_front();
    RemovePage(std::move(prefix));
  }
}

void ObjectRemover::RemovePage(std::string prefix) {
  auto store = store_->Now();
  if (!store.ok()) return Done(false);
  (*store)->List(prefix, "", kPage, [this, alive = alive_, prefix, objects = *store](absl::StatusOr<store::ListPage> page) {
    if (!*alive) return;
    if (!page.ok()) return Done(false);
    if (page->objects.empty()) return Done(true);
    std::vector<std::string> keys;
    for (const store::Listed& object : page->objects) keys.push_back(object.key);
    objects->Delete(std::move(keys), [this, alive, prefix, more = page->more](const absl::Status& status) {
      if (!*alive) return;
      if (!status.ok() || !more) return Done(status.ok());
      RemovePage(prefix);
    });
  });
}

void ObjectRemover::Done(bool complete) {
  if (!complete) ++left_behind_;
  --under_way_;
  Next();
}

}  // namespace drover::master::server
