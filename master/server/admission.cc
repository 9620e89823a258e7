#include "master/server/admission.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/store/names.h"
#include "client/store/object_store.h"
#include "coord/base/status.h"
#include "master/records/codec.h"
#include "master/records/record_limits.h"
#include "master/records/spec.h"
#include "master/records/task_id.h"
#include "master/records/time_bounds.h"

namespace drover::master::server {

absl::Status CheckBatch(const task::v1::SubmitRequest& request, std::size_t encoded_bytes) {
  // One task alone may be as large as a message can be: its program goes to the store.
  if (request.tasks_size() > 1 && encoded_bytes > records::kBatchBytesMax) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a batch of ", encoded_bytes, " bytes, at most ", records::kBatchBytesMax, ": send fewer tasks at once"));
  }
  if (request.tasks_size() > static_cast<int>(records::kBatchTasksMax)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a batch of ", request.tasks_size(), " tasks, at most ", records::kBatchTasksMax));
  }
  return absl::OkStatus();
}

namespace {

// An upload of another task goes with that one, or as nobody's.
absl::Status TakeUpload(const std::string& id, const task::v1::ObjectRef& object, Admitted* admitted) {
  if (!absl::StartsWith(object.key(), store::InputsOf(id))) {
    return absl::InvalidArgumentError(absl::StrCat("object ", records::Clip(object.key(), 160),
                                                   " was not uploaded for this task: its key begins with ", store::InputsOf(id)));
  }
  DROVER_RETURN_IF_ERROR(store::CheckKey(object.key()));  // no upload has it
  admitted->uploads.push_back(object.key());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Admitted> Admit(const task::v1::TaskSpec& spec, std::int64_t now_ms) {
  if (!records::IsTaskId(spec.id())) return absl::InvalidArgumentError(records::kTaskIdRule);
  if (!task::v1::IfExists_IsValid(spec.if_exists())) {
    return absl::InvalidArgumentError("if_exists is SAME_ONLY, REJECT, USE_EXISTING or RERUN_FAILED");
  }
  Admitted admitted;
  admitted.if_exists = spec.if_exists();
  worker::v1::TaskRecord& record = admitted.record;
  *record.mutable_policy() = spec.policy();
  if (!spec.program().handler().empty()) records::RequireHandler(spec.program().handler(), record.mutable_policy());
  records::Normalise(record.mutable_policy());
  DROVER_RETURN_IF_ERROR(records::CheckPolicy(record.policy()));
  if (record.policy().has_array() && spec.id().size() > records::kArrayIdBytesMax) {
    return absl::ResourceExhaustedError(
        absl::StrCat("an array's id has ", spec.id().size(), " bytes, at most ", records::kArrayIdBytesMax));
  }
  for (const task::v1::Dependency& dependency : record.policy().dependencies()) {
    if (dependency.task() == spec.id()) return absl::InvalidArgumentError("a task does not depend on itself");
  }
  if (spec.has_program() == spec.has_program_object()) {
    return absl::InvalidArgumentError("a task has either a program or a reference to one");
  }
  if (spec.has_program_object()) {
    DROVER_RETURN_IF_ERROR(records::CheckObjectRef(spec.program_object()));
    DROVER_RETURN_IF_ERROR(TakeUpload(spec.id(), spec.program_object(), &admitted));
    *record.mutable_program_object() = spec.program_object();
    record.set_spec_digest(records::SpecDigest(record.policy(), spec.program_object()));
  } else {
    DROVER_RETURN_IF_ERROR(records::CheckProgram(spec.program()));
    if (spec.program().has_stdin_object()) {
      DROVER_RETURN_IF_ERROR(TakeUpload(spec.id(), spec.program().stdin_object(), &admitted));
    }
    std::string program = records::EncodeProgram(spec.program());
    if (program.size() > records::kObjectBytesMax) {
      return absl::ResourceExhaustedError(
          absl::StrCat("a program of ", program.size(), " bytes, at most ", records::kObjectBytesMax));
    }
    record.set_spec_digest(records::SpecDigest(record.policy(), absl::string_view(program)));
    if (program.size() <= records::InlineProgramBytesMax(record.policy())) {
      record.set_program(std::move(program));
    } else {
      admitted.program_to_store = std::move(program);
    }
  }
  record.set_state(task::v1::READY);
  record.set_submitted_at(now_ms);
  record.set_submission(spec.submission());
  DROVER_RETURN_IF_ERROR(records::CheckBounds(record));
  return admitted;
}

absl::Status CheckDrain(const task::v1::DrainWorkerRequest& request) {
  if (request.patience_ms() < 0 || request.patience_ms() > records::kDelayMaxMs) {
    return absl::InvalidArgumentError("what runs may end for 0 s to 366 days");
  }
  return CheckCancelReason(request.reason());
}

absl::Status CheckCancelReason(absl::string_view reason) {
  if (reason.size() <= records::kCancelReasonBytesMax) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the reason has ", reason.size(), " bytes, at most ", records::kCancelReasonBytesMax));
}

}  // namespace drover::master::server
