{
  "targets": [
    {
      "target_name": "socket",
      "sources": ["drivers/linux/socket.c", "drivers/linux/syscalls.c", "drivers/linux/disk.c", "drivers/linux/line.c"],
      "cflags": ["-Wall", "-Wextra", "-O2"]
    }
  ]
}
