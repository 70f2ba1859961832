{
  "targets": [
    {
      "target_name": "socket",
      "sources": ["drivers/linux/socket.c", "drivers/linux/syscalls.c"],
      "cflags": ["-Wall", "-Wextra", "-O2"]
    }
  ]
}
