// The file: store: FileObjects behind the asynchronous interface. Puts that arrive while others are being written form the next
// batch, which shares its syncs.
#ifndef DROVER_CLIENT_STORE_FILE_STORE_H_
#define DROVER_CLIENT_STORE_FILE_STORE_H_

#include <memory>
#include <string>
#include <vector>

#include "client/store/file_objects.h"
#include "client/store/object_store.h"

namespace drover::store {

class FileStore final : public ObjectStore {
 public:
  FileStore(std::unique_ptr<FileObjects> objects, base::Executor* executor);
  ~FileStore() override;

  void Put(std::string key, base::Bytes data, Done<ObjectRef> done) override;
  void Get(std::string key, Range range, Done<GetResult> done) override;
  void List(std::string prefix, std::string after, std::size_t limit, Done<ListPage> done) override;
  void Delete(std::vector<std::string> keys, DoneStatus done) override;

 private:
  struct Batch;
  void StartBatch();
  template <typename Result, typename Work, typename Completion>
  void Run(Work work, Completion done);

  // Shared with work under way, which may outlast this object.
  const std::shared_ptr<FileObjects> objects_;
  base::Executor* const executor_;
  // Expires with this object: completions check it.
  const std::shared_ptr<int> alive_ = std::make_shared<int>(0);

  std::shared_ptr<Batch> gathering_;
  bool putting_ = false;
};

}  // namespace drover::store

#endif  // DROVER_CLIENT_STORE_FILE_STORE_H_
