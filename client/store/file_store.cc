#include "client/store/file_store.h"

#include <optional>
#include <utility>

namespace drover::store {

struct FileStore::Batch {
  std::vector<FileObjects::PutRequest> requests;
  std::vector<Done<ObjectRef>> dones;
  std::vector<absl::StatusOr<ObjectRef>> results;
};

FileStore::FileStore(std::unique_ptr<FileObjects> objects, base::Executor* executor)
    : objects_(std::move(objects)), executor_(executor), gathering_(std::make_shared<Batch>()) {}

FileStore::~FileStore() = default;

void FileStore::Put(std::string key, base::Bytes data, Done<ObjectRef> done) {
  gathering_->requests.push_back({std::move(key), std::move(data)});
  gathering_->dones.push_back(std::move(done));
  if (!putting_) StartBatch();
}

void FileStore::StartBatch() {
  putting_ = true;
  std::shared_ptr<Batch> batch = std::exchange(gathering_, std::make_shared<Batch>());
  executor_->Submit([objects = objects_, batch] { batch->results = objects->Put(batch->requests); },
                    [this, alive = std::weak_ptr<int>(alive_), batch] {
                      if (alive.expired()) return;
                      putting_ = false;
                      if (!gathering_->requests.empty()) StartBatch();
                      for (std::size_t i = 0; i < batch->dones.size() && !alive.expired(); ++i) {
                        batch->dones[i](std::move(batch->results[i]));
                      }
                    });
}

template <typename Result, typename Work, typename Completion>
void FileStore::Run(Work work, Completion done) {
  auto result = std::make_shared<std::optional<Result>>();
  executor_->Submit([objects = objects_, work = std::move(work), result]() mutable { *result = work(objects.get()); },
                    [alive = std::weak_ptr<int>(alive_), result, done = std::move(done)]() mutable {
                      if (!alive.expired()) done(std::move(**result));
                    });
}

void FileStore::Get(std::string key, Range range, Done<GetResult> done) {
  Run<absl::StatusOr<GetResult>>([key = std::move(key), range](FileObjects* objects) { return objects->Get(key, range); },
                                 std::move(done));
}

void FileStore::List(std::string prefix, std::string after, std::size_t limit, Done<ListPage> done) {
  Run<absl::StatusOr<ListPage>>([prefix = std::move(prefix), after = std::move(after),
                                 limit](FileObjects* objects) { return objects->List(prefix, after, limit); },
                                std::move(done));
}

void FileStore::Delete(std::vector<std::string> keys, DoneStatus done) {
  Run<absl::Status>([keys = std::move(keys)](FileObjects* objects) { return objects->Delete(keys); }, std::move(done));
}

}  // namespace drover::store
