#include "client/cli/input.h"

#include <gtest/gtest.h>

#include "tests/client/store/temp_directory.h"

namespace drover::cli {
namespace {

class InputTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& data) {
    const std::string path = directory_.path() + "/file";
    std::ofstream(path, std::ios::binary | std::ios::trunc) << data;
    return path;
  }
  std::vector<std::string> LinesOf(const std::string& data) {
    auto reader = LineReader::Open(Write(data));
    EXPECT_TRUE(reader.ok());
    std::vector<std::string> lines;
    for (std::string line; reader->Next(&line);) lines.push_back(line);
    EXPECT_TRUE(reader->status().ok());
    return lines;
  }
  store::TempDirectory directory_;
};

TEST_F(InputTest, AFileIsReadByteForByteUpToItsBound) {
  const std::string data("\0a\nb", 4);
  EXPECT_EQ(*ReadInput(Write(data), 4, "it"), data);
  EXPECT_EQ(*ReadInput(Write(""), 0, "it"), "");
  const absl::Status status = ReadInput(Write("12345"), 4, "it").status();
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_EQ(status.message(), "it has at most 4 bytes");
  EXPECT_TRUE(absl::IsInvalidArgument(ReadInput("/no/such/file", 4, "it").status()));
}

TEST_F(InputTest, LinesNeedNoLastNewlineAndMayBeEmpty) {
  EXPECT_EQ(LinesOf("a\nb\n"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(LinesOf("a\nb"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(LinesOf("a\n\nb"), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(LinesOf(""), std::vector<std::string>{});
  EXPECT_TRUE(absl::IsInvalidArgument(LineReader::Open("/no/such/file").status()));
}

TEST_F(InputTest, ADirectoryIsRefusedByName) {
  for (const absl::Status& status :
       {ReadInput(directory_.path(), 4, "it").status(), LineReader::Open(directory_.path()).status()}) {
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_EQ(status.message(), "cannot read " + directory_.path() + ": it is a directory");
  }
}

TEST_F(InputTest, SizesForPeople) {
  EXPECT_EQ(BytesText(64 << 20), "64 MiB");
  EXPECT_EQ(BytesText(128 << 10), "128 KiB");
  EXPECT_EQ(BytesText(1500), "1500 bytes");
}

}  // namespace
}  // namespace drover::cli
