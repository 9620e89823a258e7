#include "coord/client/chroot.h"

#include <gtest/gtest.h>

#include <string>

namespace drover::coord::client {
namespace {

std::string Out(const Chroot& chroot, std::string path) {
  chroot.Out(&path);
  return path;
}

TEST(Chroot, PutsPathsBelowItsRootAndBack) {
  const Chroot app("/app");
  EXPECT_EQ(app.In("/x/y"), "/app/x/y");
  EXPECT_EQ(app.In("/"), "/app");
  EXPECT_EQ(app.InSequential("/"), "/app/");
  EXPECT_EQ(app.InSequential("/x-"), "/app/x-");
  EXPECT_EQ(Out(app, "/app/x/y"), "/x/y");
  EXPECT_EQ(Out(app, "/app"), "/");
  EXPECT_EQ(Out(app, "/application"), "/application") << "that is not below it";
  EXPECT_EQ(Out(app, "/other"), "/other");
}

TEST(Chroot, WhatIsNoPathStaysNone) {
  const Chroot app("/app");
  for (const char* wrong : {"", "x", "x/y"}) EXPECT_EQ(app.In(wrong), wrong);
}

TEST(Chroot, OfTheRootChangesNothing) {
  for (const char* root : {"", "/"}) {
    const Chroot none(root);
    EXPECT_EQ(none.In("/x"), "/x");
    EXPECT_EQ(none.In("/"), "/");
    EXPECT_EQ(none.InSequential("/"), "/");
    EXPECT_EQ(Out(none, "/x"), "/x");
  }
}

}  // namespace
}  // namespace drover::coord::client
