"""The chain of kind "bema": what stands in its blocks, what is sent, who makes blocks and who judges newcomers."""
