#include "master/server/task_service.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/store/names.h"
#include "coord/process/logging.h"
#include "master/records/codec.h"
#include "master/records/task_id.h"
#include "master/server/task_message.h"

namespace drover::master::server {

task::v1::Outcome OutcomeOf(state::SubmitResult::Kind kind) {
  using Kind = state::SubmitResult::Kind;
  switch (kind) {
    case Kind::kDone:
      return task::v1::DONE;
    case Kind::kExisted:
      return task::v1::EXISTED;
    case Kind::kConflict:
      return task::v1::CONFLICT;
    case Kind::kTooOld:
      return task::v1::TOO_OLD;
    case Kind::kNotFound:
      return task::v1::NOT_FOUND;
    case Kind::kNotThere:
      return task::v1::REFUSED;
    case Kind::kFull:
      return task::v1::FULL;
    case Kind::kRefused:
    case Kind::kOverloaded:
    case Kind::kUnavailable:
      return task::v1::REFUSED;
  }
  return task::v1::REFUSED;
}

namespace {

void ShowDrain(const state::DrainView& drain, task::v1::Worker* worker) {
  worker->set_drain_reason(drain.drain.reason());
  worker->set_drained_since(drain.drain.since_ms());
  worker->set_drain_deadline(drain.drain.deadline_ms());
}

// By what its record says.
bool IsListed(const task::v1::ListRequest& request, const state::TaskView& task) {
  const auto record = task.Decode();
  if (!record.ok()) return false;
  const task::v1::Policy& policy = record->policy();
  const std::string& last = record->attempts().empty() ? record->worker() : record->attempts().rbegin()->worker();
  const std::string& worker = record->worker().empty() && records::IsTerminal(task.state) ? last : record->worker();
  return (request.queue().empty() || request.queue() == policy.queue()) &&
         (request.name().empty() || request.name() == policy.name()) && (request.key().empty() || request.key() == policy.key()) &&
         (request.worker().empty() || request.worker() == worker);
}

// Elements are listed of the array that was asked for, or of whom holds them.
bool IsOfArray(const task::v1::ListRequest& request, const state::TaskView& task) {
  const std::optional<records::Element> element = records::ParseElement(task.id);
  if (!element.has_value()) return request.array().empty();
  return request.array() == element->array || (request.array().empty() && !request.worker().empty());
}

// When one that was FULL may try again.
constexpr base::Duration kFullRetryAfter = std::chrono::seconds(1);

}  // namespace

absl::Status NotServing() {
  return absl::UnavailableError("this master does not lead its pool now; try again");
}

// One Submit, Cancel or Retry: its tasks are decided one by one and answered together. If any of them could not be decided now, the
// whole call is UNAVAILABLE: sent again, what was done is found done.
template <typename Response>
struct TaskService::Batch {
  Response response;
  absl::Status failed;
  int open = 0;
  Reply<Response> reply;
  Master* master = nullptr;

  void Answer(int index, task::v1::Outcome outcome, absl::string_view sentence) {
    auto* const result = response.mutable_results(index);
    result->set_outcome(outcome);
    result->set_sentence(records::Clip(sentence, 1024));
    Close();
  }
  void Fail(absl::Status status) {
    if (failed.ok()) failed = std::move(status);
    Close();
  }
  void Close() {
    if (--open > 0) return;
    if (!failed.ok()) return reply(failed);
    if (master->ready()) response.set_zxid(master->view().zxid().value);
    reply(std::move(response));
  }
};

struct TaskService::Submissions : Batch<task::v1::SubmitResponse> {
  // By index, where some depend on others: what is ready, and what will not be decided. All before `next` are one or the other.
  bool in_order = false;
  std::vector<std::optional<Admitted>> ready;
  std::vector<bool> passed;
  std::size_t next = 0;
  // Those before it in the batch that each depends on.
  std::vector<std::vector<int>> named;

  void TakeOrder(const task::v1::SubmitRequest& request) {
    const bool any = std::any_of(request.tasks().begin(), request.tasks().end(),
                                 [](const task::v1::TaskSpec& spec) { return !spec.policy().dependencies().empty(); });
    if (!any) return;
    const auto size = static_cast<std::size_t>(request.tasks_size());
    absl::flat_hash_map<std::string, int> index;
    named.resize(size);
    for (int i = 0; i < request.tasks_size(); ++i) {
      for (const task::v1::Dependency& dependency : request.tasks(i).policy().dependencies()) {
        const auto it = index.find(dependency.task());
        if (it == index.end()) continue;
        named[static_cast<std::size_t>(i)].push_back(it->second);
        in_order = true;
      }
      index.emplace(request.tasks(i).id(), i);
    }
    ready.resize(size);
    passed.resize(size);
  }
  // One that it depends on was not taken for now; null if none.
  [[nodiscard]] const task::v1::SubmitResponse::Result* FullBefore(int i) const {
    if (!in_order) return nullptr;
    for (const int j : named[static_cast<std::size_t>(i)]) {
      if (response.results(j).outcome() == task::v1::FULL) return &response.results(j);
    }
    return nullptr;
  }
};

TaskService::TaskService(base::Loop* loop, Master* master, pool::PoolStore* store, base::Random* random, TaskServiceOptions options)
    : loop_(loop), master_(master), store_(store), random_(random), options_(options) {}

void TaskService::GetTicket(const task::v1::GetTicketRequest&, Reply<task::v1::GetTicketResponse> reply) {
  if (!master_->serving()) return reply(NotServing());
  task::v1::GetTicketResponse response;
  response.set_ticket(master_->view().zxid().value);
  reply(std::move(response));
}

// ---- submit ----

void TaskService::Submit(const task::v1::SubmitRequest& request, std::size_t encoded_bytes, Reply<task::v1::SubmitResponse> reply) {
  if (!master_->serving()) return reply(NotServing());
  if (absl::Status status = CheckBatch(request, encoded_bytes); !status.ok()) return reply(status);
  auto batch = std::make_shared<Submissions>();
  batch->reply = std::move(reply);
  batch->master = master_;
  batch->open = request.tasks_size() + 1;
  for (const task::v1::TaskSpec& spec : request.tasks()) batch->response.add_results()->set_id(spec.id());
  batch->TakeOrder(request);
  for (int i = 0; i < request.tasks_size(); ++i) SubmitOne(batch, i, request.tasks(i));
  batch->Close();
}

void TaskService::SubmitOne(const std::shared_ptr<Submissions>& batch, int index, const task::v1::TaskSpec& spec) {
  absl::StatusOr<Admitted> admitted = Admit(spec, loop_->WallNow().value);
  if (!admitted.ok()) return Refuse(batch, index, admitted.status().message());
  // A retry of what is there already looks at nothing and stores nothing.
  const state::TaskView* known = master_->view().Find(spec.id());
  const bool runs_anew = known != nullptr && spec.if_exists() == task::v1::RERUN_FAILED && records::IsTerminal(known->state) &&
                         known->state != task::v1::SUCCEEDED;
  if (known != nullptr && !runs_anew) return Decide(batch, index, *std::move(admitted));
  CheckUploads(batch, index, spec.id(), *std::move(admitted));
}

void TaskService::CheckUploads(const std::shared_ptr<Submissions>& batch, int index, const std::string& id, Admitted admitted) {
  if (admitted.uploads.empty()) return Take(batch, index, id, std::move(admitted));
  auto store = store_->Now();
  if (absl::IsUnavailable(store.status())) return Fail(batch, index, store.status());
  if (!store.ok()) {
    return Refuse(batch, index, absl::StrCat("it refers to an upload, and ", std::string(store.status().message())));
  }
  const std::string key = admitted.uploads.back();
  admitted.uploads.pop_back();
  (*store)->List(key, "", 1,
                 [this, batch, index, id, key, admitted = std::move(admitted)](absl::StatusOr<store::ListPage> page) mutable {
                   if (!page.ok()) return Fail(batch, index, absl::UnavailableError(page.status().message()));
                   if (page->objects.empty() || page->objects.front().key != key) {
                     return Refuse(batch, index, absl::StrCat("its input ", key, " is not in the object store: upload it again"));
                   }
                   const absl::Status age = CheckUpload(page->objects.front(), master_->ClusterNowMs(), options_.uploads);
                   if (!age.ok()) return Refuse(batch, index, age.message());
                   CheckUploads(batch, index, id, std::move(admitted));
                 });
}

void TaskService::Take(const std::shared_ptr<Submissions>& batch, int index, const std::string& id, Admitted admitted) {
  if (admitted.program_to_store.empty()) return Decide(batch, index, std::move(admitted));
  StoreProgram(batch, index, id, std::move(admitted));
}

void TaskService::StoreProgram(const std::shared_ptr<Submissions>& batch, int index, const std::string& id, Admitted admitted) {
  std::string program = std::exchange(admitted.program_to_store, {});
  auto store = store_->Now();
  if (absl::IsUnavailable(store.status())) return Fail(batch, index, store.status());
  if (!store.ok()) {
    return Refuse(batch, index,
                  absl::StrCat("a program of ", program.size(), " bytes goes to the object store, and ",
                               std::string(store.status().message())));
  }
  (*store)->Put(store::InputKey(id, random_->Next()), base::Bytes::Adopt(std::move(program)),
                [this, batch, index, admitted = std::move(admitted)](absl::StatusOr<store::ObjectRef> put) mutable {
                  if (!put.ok()) return Fail(batch, index, absl::UnavailableError(put.status().message()));
                  task::v1::ObjectRef* object = admitted.record.mutable_program_object();
                  object->set_key(put->key);
                  object->set_size(put->size);
                  object->set_digest(store::DigestBytes(put->digest));
                  Decide(batch, index, std::move(admitted));
                });
}

void TaskService::Refuse(const std::shared_ptr<Submissions>& batch, int index, absl::string_view sentence) {
  batch->Answer(index, task::v1::REFUSED, sentence);
  Pass(batch, index);
}

void TaskService::Fail(const std::shared_ptr<Submissions>& batch, int index, absl::Status status) {
  batch->Fail(std::move(status));
  Pass(batch, index);
}

void TaskService::Pass(const std::shared_ptr<Submissions>& batch, int index) {
  if (!batch->in_order) return;
  batch->passed[static_cast<std::size_t>(index)] = true;
  DecideReady(batch);
}

void TaskService::Decide(const std::shared_ptr<Submissions>& batch, int index, Admitted admitted) {
  if (!batch->in_order) return DecideNow(batch, index, std::move(admitted));
  batch->ready[static_cast<std::size_t>(index)] = std::move(admitted);
  DecideReady(batch);
}

void TaskService::DecideReady(const std::shared_ptr<Submissions>& batch) {
  for (; batch->next < batch->ready.size(); ++batch->next) {
    if (batch->passed[batch->next]) continue;
    std::optional<Admitted>& admitted = batch->ready[batch->next];
    if (!admitted.has_value()) return;
    DecideNow(batch, static_cast<int>(batch->next), *std::move(admitted));
  }
}

void TaskService::DecideNow(const std::shared_ptr<Submissions>& batch, int index, Admitted admitted) {
  if (!master_->serving()) return batch->Fail(NotServing());
  const std::string id = batch->response.results(index).id();
  master_->planner().Submit(id, std::move(admitted.record), admitted.if_exists, [batch, index](const state::SubmitResult& result) {
    using Kind = state::SubmitResult::Kind;
    if (result.kind == Kind::kUnavailable) return batch->Fail(absl::UnavailableError(result.sentence));
    if (result.kind == Kind::kOverloaded) return batch->Fail(absl::ResourceExhaustedError(result.sentence));
    if (result.kind == Kind::kFull) batch->response.set_retry_after_ms(base::ToMillis(kFullRetryAfter));
    const auto* const full = result.kind == Kind::kNotThere ? batch->FullBefore(index) : nullptr;
    if (full != nullptr) {
      const std::string sentence = absl::StrCat("task ", full->id(), ", on which it depends, was not taken: ", full->sentence());
      return batch->Answer(index, task::v1::FULL, sentence);
    }
    batch->Answer(index, OutcomeOf(result.kind), result.sentence);
  });
}

// ---- read ----

task::v1::GetResponse TaskService::Look(const task::v1::GetRequest& request, bool* to_confirm) const {
  task::v1::GetResponse response;
  *to_confirm = false;
  for (const std::string& id : request.ids()) {
    const state::TaskView* task = master_->view().Find(id);
    if (task == nullptr) {
      *to_confirm = true;
      if (auto element = ToElement(id, master_->view())) {
        *response.add_tasks() = *std::move(element);
      } else {
        response.add_not_found(id);
      }
      continue;
    }
    *response.add_tasks() = ToTask(*task, master_->view());
    if (records::IsTerminal(task->state)) *to_confirm = true;
  }
  response.set_zxid(master_->view().zxid().value);
  return response;
}

void TaskService::Get(const task::v1::GetRequest& request, Reply<task::v1::GetResponse> reply) {
  if (request.ids_size() > 1000) return reply(absl::ResourceExhaustedError("at most 1000 ids in one call"));
  auto held = std::make_shared<Reply<task::v1::GetResponse>>(std::move(reply));
  master_->AwaitView(base::Zxid(request.seen_zxid()), [this, request, held](const absl::Status& status) {
    if (!status.ok()) return (*held)(status);
    if (!master_->serving()) return (*held)(NotServing());
    bool to_confirm = false;
    task::v1::GetResponse response = Look(request, &to_confirm);
    if (!to_confirm) return (*held)(std::move(response));
    master_->Confirm([this, request, held](const absl::Status& confirmed) {
      if (!confirmed.ok()) return (*held)(confirmed);
      if (!master_->serving()) return (*held)(NotServing());
      bool ignored = false;
      (*held)(Look(request, &ignored));
    });
  });
}

void TaskService::Explain(const task::v1::ExplainRequest& request, Reply<task::v1::ExplainResponse> reply) {
  auto held = std::make_shared<Reply<task::v1::ExplainResponse>>(std::move(reply));
  // What is not there, or has ended, is confirmed by the core before it is said.
  master_->AwaitView(base::Zxid(request.seen_zxid()), [this, request, held](const absl::Status& status) {
    if (!status.ok()) return (*held)(status);
    master_->Confirm([this, request, held](const absl::Status& confirmed) {
      if (!confirmed.ok()) return (*held)(confirmed);
      if (!master_->serving()) return (*held)(NotServing());
      const state::TaskView* const task = master_->view().Find(request.id());
      if (task == nullptr) {
        auto element = ToElement(request.id(), master_->view());
        if (!element.has_value()) return (*held)(records::NoTaskError(request.id()));
        return (*held)(ToExplanation(*std::move(element), master_->view()));
      }
      task::v1::ExplainResponse response = ToExplanation(*task, master_->view(), master_->planner().scheduler());
      response.set_zxid(master_->view().zxid().value);
      (*held)(std::move(response));
    });
  });
}

task::v1::ListResponse TaskService::Page(const task::v1::ListRequest& request) const {
  const state::View& view = master_->view();
  const std::size_t limit = request.limit() == 0 ? options_.list_default : std::min(request.limit(), options_.list_max);
  const std::set<int> states(request.states().begin(), request.states().end());
  task::v1::ListResponse response;
  response.set_zxid(view.zxid().value);
  const auto& order = view.by_submission();
  auto end = order.end();
  std::uint64_t after = 0;
  if (absl::SimpleAtoi(request.after(), &after)) end = order.lower_bound({base::Zxid(after), state::TaskRef(0)});
  const bool by_record = !request.queue().empty() || !request.name().empty() || !request.key().empty() || !request.worker().empty();
  const std::size_t scan_max = by_record ? options_.list_decode_max : options_.list_scan_max;
  std::size_t looked = 0, bytes = 0;
  for (auto it = end; it != order.begin();) {
    --it;
    const state::TaskView* task = view.At(it->second);
    if ((states.empty() || states.count(task->state) > 0) && IsOfArray(request, *task) &&
        (!by_record || IsListed(request, *task))) {
      *response.add_tasks() = ToTask(*task, view);
      bytes += task->record.size() + task->id.size();
    }
    ++looked;
    const bool full =
        static_cast<std::size_t>(response.tasks_size()) >= limit || looked >= scan_max || bytes >= options_.answer_bytes_max;
    // The page ends between two submissions, never between tasks of one.
    if (full && it != order.begin() && std::prev(it)->first != it->first) {
      response.set_next(absl::StrCat(it->first.value));
      break;
    }
  }
  return response;
}

void TaskService::List(const task::v1::ListRequest& request, Reply<task::v1::ListResponse> reply) {
  auto held = std::make_shared<Reply<task::v1::ListResponse>>(std::move(reply));
  std::uint64_t ignored = 0;
  if (!request.after().empty() && !absl::SimpleAtoi(request.after(), &ignored)) {
    return (*held)(absl::InvalidArgumentError("`after` is the `next` of the page before"));
  }
  for (const int state : request.states()) {
    if (!task::v1::State_IsValid(state) || state == task::v1::STATE_UNSPECIFIED) {
      return (*held)(absl::InvalidArgumentError(absl::StrCat("there is no state ", state)));
    }
  }
  master_->AwaitView(base::Zxid(request.seen_zxid()), [this, request, held](const absl::Status& status) {
    if (!status.ok()) return (*held)(status);
    if (!master_->serving()) return (*held)(NotServing());
    (*held)(Page(request));
  });
}

// ---- cancel and retry ----

template <typename Request, typename Response, typename PerId>
void TaskService::ForEachId(const Request& request, Reply<Response> reply, PerId per_id) {
  if (!master_->serving()) return reply(NotServing());
  if (request.ids_size() > 1000) return reply(absl::ResourceExhaustedError("at most 1000 ids in one call"));
  auto calls = std::make_shared<Batch<Response>>();
  calls->reply = std::move(reply);
  calls->master = master_;
  for (const std::string& id : request.ids()) calls->response.add_results()->set_id(id);
  // What is not there, or has ended, is confirmed by the core before it is said.
  master_->Confirm([this, calls, request, per_id](const absl::Status& confirmed) {
    calls->open = 1;
    if (!confirmed.ok() || !master_->serving()) return calls->Fail(confirmed.ok() ? NotServing() : confirmed);
    calls->open += request.ids_size();
    // The oldest first: what others depend on comes before them.
    std::vector<std::pair<base::Zxid, int>> order;
    for (int i = 0; i < request.ids_size(); ++i) {
      const state::TaskView* task = master_->view().Find(request.ids(i));
      order.emplace_back(task == nullptr ? base::Zxid() : task->czxid, i);
    }
    std::sort(order.begin(), order.end());
    for (const auto& [czxid, i] : order) per_id(calls, i);
    calls->Close();
  });
}

void TaskService::Cancel(const task::v1::CancelRequest& request, Reply<task::v1::CancelResponse> reply) {
  if (absl::Status status = CheckCancelReason(request.reason()); !status.ok()) return reply(status);
  ForEachId(request, std::move(reply), [this, request](const std::shared_ptr<Batch<task::v1::CancelResponse>>& calls, int i) {
    master_->planner().Cancel(request.ids(i), request.reason(), [calls, i](const state::CancelResult& result) {
      using Kind = state::CancelResult::Kind;
      if (result.kind == Kind::kUnavailable) return calls->Fail(absl::UnavailableError(result.sentence));
      calls->Answer(i,
                    result.kind == Kind::kDone       ? task::v1::DONE
                    : result.kind == Kind::kNotFound ? task::v1::NOT_FOUND
                                                     : task::v1::ALREADY_TERMINAL,
                    result.sentence);
    });
  });
}

void TaskService::Retry(const task::v1::RetryRequest& request, Reply<task::v1::RetryResponse> reply) {
  ForEachId(request, std::move(reply), [this, request](const std::shared_ptr<Batch<task::v1::RetryResponse>>& calls, int i) {
    master_->planner().Retry(request.ids(i), request.submission(), [calls, i](const state::SubmitResult& result) {
      using Kind = state::SubmitResult::Kind;
      if (result.kind == Kind::kUnavailable) return calls->Fail(absl::UnavailableError(result.sentence));
      if (result.kind == Kind::kOverloaded) return calls->Fail(absl::ResourceExhaustedError(result.sentence));
      calls->Answer(i, OutcomeOf(result.kind), result.sentence);
    });
  });
}

// ---- workers and masters ----

void TaskService::DrainWorker(const task::v1::DrainWorkerRequest& request, Reply<task::v1::DrainWorkerResponse> reply) {
  if (!master_->serving()) return reply(NotServing());
  if (absl::Status status = CheckDrain(request); !status.ok()) return reply(status);
  std::optional<base::Duration> patience;
  if (request.has_patience_ms()) patience = std::chrono::milliseconds(request.patience_ms());
  master_->planner().DrainWorker(request.worker(), patience, request.reason(),
                                 OnlyStatus<task::v1::DrainWorkerResponse>(std::move(reply)));
}

void TaskService::UndrainWorker(const task::v1::UndrainWorkerRequest& request, Reply<task::v1::UndrainWorkerResponse> reply) {
  if (!master_->serving()) return reply(NotServing());
  master_->planner().UndrainWorker(request.worker(), OnlyStatus<task::v1::UndrainWorkerResponse>(std::move(reply)));
}

// ---- queues ----

void TaskService::SetQueue(const task::v1::SetQueueRequest& request, Reply<task::v1::SetQueueResponse> reply) {
  if (!master_->serving()) return reply(NotServing());
  master_->planner().SetQueue(request, [reply = std::move(reply)](state::QueueAnswer answer) mutable {
    if (!answer.ok()) return reply(answer.status());
    task::v1::SetQueueResponse response;
    *response.mutable_settings() = *std::move(answer);
    reply(std::move(response));
  });
}

void TaskService::DeleteQueue(const task::v1::DeleteQueueRequest& request, Reply<task::v1::DeleteQueueResponse> reply) {
  if (!master_->serving()) return reply(NotServing());
  master_->planner().DeleteQueue(request.name(), OnlyStatus<task::v1::DeleteQueueResponse>(std::move(reply)));
}

void TaskService::ListQueues(const task::v1::ListQueuesRequest&, Reply<task::v1::ListQueuesResponse> reply) {
  if (!master_->serving()) return reply(NotServing());
  const state::View& view = master_->view();
  std::set<std::string> names;
  for (const auto& [name, queue] : view.queues()) names.insert(name);
  for (const auto& [name, tally] : view.tallies()) names.insert(name);
  task::v1::ListQueuesResponse response;
  response.set_zxid(view.zxid().value);
  for (const std::string& name : names) {
    task::v1::Queue* shown = response.add_queues();
    shown->set_name(name);
    if (const state::QueueView* queue = view.FindQueue(name)) *shown->mutable_settings() = queue->settings;
    const state::QueueTally tally = view.TallyOf(name);
    shown->set_waiting(tally.ready);
    shown->set_delayed(tally.delayed);
    shown->set_running(tally.running);
  }
  reply(std::move(response));
}

// ---- workers and masters ----

void TaskService::ListWorkers(const task::v1::ListWorkersRequest&, Reply<task::v1::ListWorkersResponse> reply) {
  if (!master_->serving()) return reply(NotServing());
  const state::View& view = master_->view();
  std::map<std::string, std::uint32_t> running;
  for (const auto& [key, assignment] : view.assignments()) ++running[key.first];
  const scheduler::Scheduler& scheduler = master_->planner().scheduler();
  task::v1::ListWorkersResponse response;
  response.set_zxid(view.zxid().value);
  for (const auto& [name, worker] : view.workers()) {
    task::v1::Worker* shown = response.add_workers();
    shown->set_id(name);
    shown->set_address(worker.info.address());
    shown->set_slots(worker.info.slots());
    shown->set_running(running[name]);
    *shown->mutable_labels() = worker.info.labels();
    *shown->mutable_resources() = worker.info.resources();
    for (const auto& [resource, amount] : scheduler.TakenOf(name)) (*shown->mutable_resources_taken())[resource] = amount;
    const state::DrainView* const drain = view.FindDrain(name);
    shown->set_state(drain != nullptr && running[name] == 0       ? "DRAINED"
                     : drain != nullptr || worker.info.draining() ? "DRAINING"
                                                                  : "READY");
    if (drain != nullptr) ShowDrain(*drain, shown);
  }
  for (const auto& [name, drain] : view.drains()) {
    if (view.FindWorker(name) != nullptr) continue;
    task::v1::Worker* shown = response.add_workers();
    shown->set_id(name);
    shown->set_running(running[name]);
    shown->set_state(running[name] == 0 ? "DRAINED" : "DRAINING");
    ShowDrain(drain, shown);
  }
  reply(std::move(response));
}

void TaskService::ListMasters(const task::v1::ListMastersRequest&, Reply<task::v1::ListMastersResponse> reply) {
  if (!master_->serving()) return reply(NotServing());
  task::v1::ListMastersResponse response;
  response.set_zxid(master_->view().zxid().value);
  for (const MasterInfo& master : master_->masters()) {
    task::v1::Master* shown = response.add_masters();
    shown->set_id(master.id);
    shown->set_address(master.address);
    shown->set_leader(master.leader);
    shown->set_epoch(master.epoch.value);
  }
  reply(std::move(response));
}

}  // namespace drover::master::server
