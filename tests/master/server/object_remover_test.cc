#include "master/server/object_remover.h"

#include <gtest/gtest.h>

#include "client/store/names.h"
#include "tests/master/server/server_fixture.h"

namespace drover::master::server {
namespace {

class ObjectRemoverTest : public ServerFixture {
 protected:
  void Put(const std::string& key) {
    store::MemoryStore(&loop_, &objects_).Put(key, base::Bytes::Copy("x"), [](const auto&) {});
  }
};

TEST_F(ObjectRemoverTest, WhatATaskReadAndWroteGoesAndNothingElse) {
  Start();
  for (std::uint32_t chunk = 0; chunk < 1'500; ++chunk) Put(store::OutputKey("a", 7, store::Part::kOut, chunk));
  Put(store::OutputKey("a", 5, store::Part::kErr, 0));
  Put(store::InputKey("a", 1));
  Put(store::OutputKey("ab", 7, store::Part::kOut, 0));
  Put(store::InputKey("b", 1));
  worker::v1::TaskRecord record;
  record.set_attempts_total(2);
  ObjectRemover remover(store_.get());
  remover.Remove("a", record);
  Run(2'000);
  EXPECT_EQ(objects_.objects.size(), 3U) << "the marker and two of others";
  EXPECT_EQ(remover.left_behind(), 0U);
}

TEST_F(ObjectRemoverTest, AnElementLeavesWhatItsArrayReads) {
  Start();
  Put(store::InputKey("a", 1));
  Put(store::OutputKey("a:1", 7, store::Part::kOut, 0));
  Put(store::OutputKey("a:10", 8, store::Part::kOut, 0));
  worker::v1::TaskRecord record;
  record.set_attempts_total(2);
  ObjectRemover remover(store_.get());
  remover.Remove("a:1", record);
  Run(2'000);
  EXPECT_EQ(objects_.objects.size(), 3U) << "the marker, the input and the other element's output";
  remover.Remove("a", record);
  Run(2'000);
  EXPECT_EQ(objects_.objects.size(), 1U);
}

TEST_F(ObjectRemoverTest, AFailureLeavesThemBehindAndSaysSo) {
  Start();
  objects_.failure = absl::UnavailableError("gone");
  worker::v1::TaskRecord record;
  record.set_attempts_total(2);
  ObjectRemover remover(store_.get());
  remover.Remove("a", record);
  Run();
  EXPECT_EQ(remover.left_behind(), 2U);
}

TEST(MayHaveObjectsTest, OnlyARecordThatProvesItHasNone) {
  worker::v1::TaskRecord plain;
  plain.set_attempts_total(1);
  task::v1::Program program;
  program.add_argv("true");
  plain.set_program(program.SerializeAsString());
  plain.mutable_output()->mutable_out()->set_data("hello");
  EXPECT_FALSE(MayHaveObjects(plain));
  const struct {
    const char* name;
    void (*change)(worker::v1::TaskRecord*);
  } cases[] = {
      {"chunks", [](worker::v1::TaskRecord* r) { r->mutable_output()->mutable_err()->set_chunks(1); }},
      {"program in the store", [](worker::v1::TaskRecord* r) { r->mutable_program_object()->set_key("k"); }},
      {"earlier attempts", [](worker::v1::TaskRecord* r) { r->set_attempts_total(2); }},
      {"lost without output", [](worker::v1::TaskRecord* r) { r->clear_output(); }},
  };
  for (const auto& c : cases) {
    worker::v1::TaskRecord record = plain;
    c.change(&record);
    EXPECT_TRUE(MayHaveObjects(record)) << c.name;
  }
}

}  // namespace
}  // namespace drover::master::server
